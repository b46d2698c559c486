//! Searching models, versions and prompts.

use super::{invalid, new, tag};
use crate::{Millis, NewModelVersion, RegistryQuery, StoreError, TrackingStore};

pub(super) fn search(store: &TrackingStore) {
    models(store);
    orders_of_models(store);
    versions(store);
    orders_of_versions(store);
    pages(store);
    prompts(store);
    refusals(store);
}

fn query(filter: &str, order_by: &[&str]) -> RegistryQuery {
    RegistryQuery {
        filter: filter.into(),
        order_by: order_by.iter().map(|term| (*term).to_owned()).collect(),
        max_results: 100,
        page_token: None,
    }
}

fn models_by(store: &TrackingStore, filter: &str, order_by: &[&str]) -> Result<Vec<String>, StoreError> {
    let page = store.search_registered_models(&query(filter, order_by))?;
    Ok(page.items.into_iter().map(|model| model.name).collect())
}

fn versions_by(store: &TrackingStore, filter: &str, order_by: &[&str]) -> Result<Vec<(String, u32)>, StoreError> {
    let page = store.search_model_versions(&query(filter, order_by))?;
    Ok(page.items.into_iter().map(|version| (version.model, version.version)).collect())
}

#[track_caller]
fn finds(store: &TrackingStore, filter: &str, names: &[&str]) {
    assert_eq!(models_by(store, filter, &[]).expect("searches"), names, "{filter}");
}

fn models(store: &TrackingStore) {
    for name in ["RegFindRM1", "RegFindRM2", "RegFindRM4A", "RegFindRM4ab"] {
        store.create_registered_model(name, "", &[], Millis(1)).expect("makes");
    }
    let all = ["RegFindRM1", "RegFindRM2", "RegFindRM4A", "RegFindRM4ab"];
    finds(store, "name LIKE 'RegFind%'", &all);
    finds(store, "attribute.name like 'RegFind%'", &all);
    finds(store, "name LIKE 'regfind%'", &[]);
    finds(store, "name iLike 'regfind%'", &all);
    finds(store, "name LIKE 'RegFind%4A%'", &["RegFindRM4A"]);
    finds(store, "name ILIKE '%FindRM4a%'", &["RegFindRM4A", "RegFindRM4ab"]);
    finds(store, "name = 'RegFindRM1'", &["RegFindRM1"]);
    finds(store, "name = 'RegFind'", &[]);
    finds(store, "name LIKE 'RegFind%' AND name != 'RegFindRM1'", &["RegFindRM2", "RegFindRM4A", "RegFindRM4ab"]);
    finds(store, "name IN ('RegFindRM1', 'RegFindRM2', 'x')", &["RegFindRM1", "RegFindRM2"]);
    finds(store, "name LIKE 'RegFind%' and name NOT IN ('RegFindRM1', 'RegFindRM2')", &["RegFindRM4A", "RegFindRM4ab"]);
    finds(store, "name = 'x'' OR 1 = 1 --'", &[]);

    store.set_registered_model_tag("RegFindRM1", &tag("t1", "abc")).expect("sets");
    store.set_registered_model_tag("RegFindRM1", &tag("reg t2", "xyz")).expect("sets");
    store.set_registered_model_tag("RegFindRM2", &tag("t1", "abcd")).expect("sets");
    finds(store, "tags.t1 LIKE 'ab%' AND name LIKE 'RegFind%'", &["RegFindRM1", "RegFindRM2"]);
    finds(store, "tag.t1 = 'abc' AND tag.`reg t2` = 'xyz'", &["RegFindRM1"]);
    finds(store, "tags.t1 != 'abc' AND name LIKE 'RegFind%'", &["RegFindRM2"]);
    finds(store, "tags.t1 ILIKE 'AB%' and tags.t1 != 'abcd' and name LIKE 'RegFind%'", &["RegFindRM1"]);
    finds(store, "tags.T1 = 'abc'", &[]);
}

fn orders_of_models(store: &TrackingStore) {
    for (name, time) in [("RegOrder1", 1), ("RegOrder2", 1), ("RegOrder3", 2), ("RegOrder4", 2)] {
        store.create_registered_model(name, "", &[], Millis(time)).expect("makes");
    }
    let check = |order: &[&str], expected: [u8; 4]| {
        let found = models_by(store, "name LIKE 'RegOrder%'", order).expect("searches");
        assert_eq!(found, expected.map(|number| format!("RegOrder{number}")), "{order:?}");
    };
    check(&[], [1, 2, 3, 4]);
    check(&["name DESC"], [4, 3, 2, 1]);
    check(&["timestamp"], [1, 2, 3, 4]);
    check(&["last_updated_timestamp DESC"], [3, 4, 1, 2]);
    check(&["timestamp\tdeSc", "name   DESC"], [4, 3, 2, 1]);
    check(&["last_updated_timestamp ASC", "name DESC"], [2, 1, 4, 3]);
}

fn versions(store: &TrackingStore) {
    let model = "RegVersions";
    store.create_registered_model(model, "", &[], Millis(1)).expect("makes");
    for (run, source) in [("rv1", "s3://a/b"), ("rv2", "s3://a/c"), ("rv2", "s3://a/d"), ("rv3", "s3://a/d")] {
        let new = NewModelVersion { run_id: Some(run.into()), tags: vec![tag("rvrun", run)], ..new(model, source) };
        store.create_model_version(&new, Millis(5)).expect("registers");
    }
    let check = |filter: &str, expected: &[u32]| {
        let found = versions_by(store, filter, &["version_number"]).expect("searches");
        assert_eq!(found.iter().map(|(_, number)| *number).collect::<Vec<_>>(), expected, "{filter}");
    };
    check("name = 'RegVersions'", &[1, 2, 3, 4]);
    check("name='RegVersions' and version_number = 2", &[2]);
    check("name='RegVersions' and version_number<=3", &[1, 2, 3]);
    check("name='RegVersions' and version_number > '3'", &[4]);
    check("run_id = 'rv1'", &[1]);
    check("run_id IN ('rv1','rv2')", &[1, 2, 3]);
    check("run_id IN ('RV1', 'rv2')", &[2, 3]);
    check("run_id NOT IN ('rv2') AND name = 'RegVersions'", &[1, 4]);
    check("run_id ILIKE 'RV_' AND name = 'RegVersions'", &[1, 2, 3, 4]);
    check("source_path = 's3://a/d' AND name = 'RegVersions'", &[3, 4]);
    check("source_path = ''", &[]);
    check("tag.rvrun != 'rv2'", &[1, 4]);
    check("tags.rvrun LIKE 'rv%' AND tags.rvrun != 'rv2' AND version_number > 1", &[4]);
    store.delete_model_version(model, 4, &crate::Change::default(), Millis(6)).expect("deletes");
    check("source_path = 's3://a/d' AND name = 'RegVersions'", &[3]);
    let found = store.search_model_versions(&query("run_id = 'rv1'", &[])).expect("searches");
    assert_eq!(found.items[0].tags, [tag("rvrun", "rv1")]);
}

fn orders_of_versions(store: &TrackingStore) {
    for name in ["RegVO1", "RegVO2", "RegVO3"] {
        store.create_registered_model(name, "", &[], Millis(1)).expect("makes");
    }
    for (time, name) in [(11, "RegVO1"), (12, "RegVO2"), (13, "RegVO3"), (14, "RegVO1"), (14, "RegVO3")] {
        store.create_model_version(&new(name, "s3://a/b"), Millis(time)).expect("registers");
    }
    store.update_model_version("RegVO2", 1, "changed", Millis(20)).expect("updates");
    let check = |order: &[&str], expected: &[&str]| {
        let found = versions_by(store, "name LIKE 'RegVO%'", order).expect("searches");
        let shown: Vec<String> = found.iter().map(|(name, number)| format!("{}.{number}", &name[5..])).collect();
        assert_eq!(shown, expected, "{order:?}");
    };
    check(&[], &["2.1", "1.2", "3.2", "3.1", "1.1"]);
    check(&["name DESC"], &["3.2", "3.1", "2.1", "1.2", "1.1"]);
    check(&["version_number DESC"], &["1.2", "3.2", "1.1", "2.1", "3.1"]);
    check(&["creation_timestamp"], &["1.1", "2.1", "3.1", "1.2", "3.2"]);
    check(&["last_updated_timestamp ASC", "name DESC"], &["1.1", "3.1", "3.2", "1.2", "2.1"]);
}

fn pages(store: &TrackingStore) {
    store.create_registered_model("RegPages", "", &[], Millis(1)).expect("makes");
    for _ in 0..5 {
        store.create_model_version(&new("RegPages", "s3://a/b"), Millis(1)).expect("registers");
    }
    let page = |max_results, page_token: Option<String>| {
        let query = RegistryQuery { max_results, page_token, ..query("name = 'RegPages'", &[]) };
        store.search_model_versions(&query).map(|page| {
            let numbers: Vec<u32> = page.items.iter().map(|version| version.version).collect();
            (numbers, page.next)
        })
    };
    let (first, token) = page(2, None).expect("searches");
    let (second, token) = page(2, token).expect("searches");
    let (last, end) = page(2, token.clone()).expect("searches");
    assert_eq!((first, second, last, end), (vec![5, 4], vec![3, 2], vec![1], None));
    assert_eq!(page(1, token).expect("searches"), (vec![1], None), "no empty page at the end");
    invalid(page(2, Some("evilhax".into())), "Invalid page token, could not base64-decode");
    invalid(page(0, None), "Invalid value for max_results. It must be a positive integer, but got 0");
    invalid(page(200_001, None), "It must be at most 200000, but got value 200001");
    let too_many = store.search_registered_models(&RegistryQuery { max_results: 1_001, ..RegistryQuery::default() });
    invalid(too_many, "Invalid value for request parameter max_results. It must be at most 1000, but got value 1001");
}

fn prompts(store: &TrackingStore) {
    let prompt = || vec![tag("mlflow.prompt.is_prompt", "true")];
    let version =
        |model: &str, text: &str| NewModelVersion { tags: [prompt(), vec![tag("rp", text)]].concat(), ..new(model, "dummy-source") };
    store.create_registered_model("RegP model", "", &[tag("rp", "1")], Millis(1)).expect("makes");
    store
        .create_model_version(&NewModelVersion { tags: vec![tag("rp", "1")], ..new("RegP model", "s3://a/b") }, Millis(1))
        .expect("registers");
    for name in ["RegP 1", "RegP 2"] {
        store.create_registered_model(name, "", &prompt(), Millis(1)).expect("makes");
        store.create_model_version(&version(name, "1"), Millis(1)).expect("registers");
    }
    store.create_model_version(&version("RegP 2", "2"), Millis(1)).expect("registers");
    store.set_registered_model_tag("RegP 2", &tag("rp", "1")).expect("sets");

    finds(store, "name LIKE 'RegP %'", &["RegP model"]);
    finds(store, "name = 'RegP 1'", &[]);
    finds(store, "tags.rp = '1'", &["RegP model"]);
    finds(store, "tags.`mlflow.prompt.is_prompt` = 'false' AND name LIKE 'RegP %'", &["RegP model"]);
    finds(store, "tags.`mlflow.prompt.is_prompt` != 'true' AND name LIKE 'RegP %'", &["RegP model"]);
    finds(store, "tags.`mlflow.prompt.is_prompt` = 'true' AND name LIKE 'RegP %'", &["RegP 1", "RegP 2"]);
    finds(store, "name LIKE 'RegP %' AND tags.mlflow.prompt.is_prompt = 'true' AND tags.rp = '1'", &["RegP 2"]);
    let check = |filter: &str, expected: &[(&str, u32)]| {
        let found = versions_by(store, filter, &["name", "version_number"]).expect("searches");
        let found: Vec<(&str, u32)> = found.iter().map(|(name, number)| (name.as_str(), *number)).collect();
        assert_eq!(found, expected, "{filter}");
    };
    check("name LIKE 'RegP %'", &[("RegP model", 1)]);
    check("tags.rp = '1'", &[("RegP model", 1)]);
    check("tags.`mlflow.prompt.is_prompt` = 'false' AND tags.rp = '1'", &[("RegP model", 1)]);
    check("tags.`mlflow.prompt.is_prompt` = 'true' AND name LIKE 'RegP %'", &[("RegP 1", 1), ("RegP 2", 1), ("RegP 2", 2)]);
    check("tags.`mlflow.prompt.is_prompt` = 'true' AND tags.rp = '2'", &[("RegP 2", 2)]);

    let clash = |name: &str, tags: &[crate::Tag]| store.create_registered_model(name, "", tags, Millis(2));
    let exists = |answer, part: &str| super::refused(answer, crate::ErrorCode::ResourceAlreadyExists, part);
    exists(clash("RegP 1", &prompt()), "Prompt (name=RegP 1) already exists.");
    exists(clash("RegP 1", &[]), "Tried to create a registered model with name 'RegP 1', but the name is already taken by a prompt.");
    exists(
        clash("RegP model", &prompt()),
        "Tried to create a prompt with name 'RegP model', but the name is already taken by a registered model.",
    );
}

fn refusals(store: &TrackingStore) {
    for (filter, part) in [
        ("run_id = 'x'", "Invalid attribute key 'run_id' specified. Valid keys are '{'name'}'"),
        ("metrics.x > 1", "Invalid entity type 'metrics'. Valid entity types are ('attribute', 'tag', 'tags')"),
        ("name != something", "used for string value something. Use either single or double quotes."),
        ("evilhax = true", "Invalid clause(s) in filter string"),
        ("name = 'a' OR name = 'b'", "Invalid clause(s) in filter string"),
        ("name > 'a'", "Invalid comparator for attribute: >"),
        ("name = 5", "Expected a quoted string value or a list of quoted string values for attributes. Got value 5"),
        ("tags.x > 'a'", "Invalid comparator for tag: >"),
        ("tags.x IN ('a')", "Expected a quoted string value for tag (e.g. 'my-value')"),
        ("tags.x = 5", "Expected a quoted string value for tag (e.g. 'my-value'). Got value 5"),
        ("name IS NULL", "Invalid comparison clause"),
        ("name IN ()", "expected a non-empty list of string values"),
    ] {
        invalid(models_by(store, filter, &[]), part);
    }
    for (filter, part) in [
        ("creation_timestamp > 5", "Invalid attribute key 'creation_timestamp' specified"),
        ("version_number = 1.5", "Invalid value for numeric attribute 'version_number': 1.5"),
        ("version_number = 'x'", "Invalid value for numeric attribute 'version_number': 'x'"),
        ("version_number LIKE '1'", "Invalid comparator for attribute version_number: LIKE"),
        ("version_number IN ('1')", "Only ['name', 'run_id'] attributes support comparison with a list of quoted string values."),
        ("source_path IN ('a')", "Only ['name', 'run_id'] attributes support comparison with a list of quoted string values."),
        ("run_id = 5", "attributes support comparison with numeric values."),
    ] {
        invalid(versions_by(store, filter, &[]), part);
    }
    for (order, part) in [
        (&["name ASC", "creation_timestamp DESC"][..], "Invalid order by key 'creation_timestamp' specified"),
        (&["tags.x"], "Invalid order by key 'tags.x' specified"),
        (&["name", "name DESC"], "`order_by` contains duplicate fields: ['name', 'name DESC']"),
        (&["timestamp", "last_updated_timestamp"], "`order_by` contains duplicate fields"),
        (&["last_updated_timestamp DESC blah"], "Invalid order_by clause 'last_updated_timestamp DESC blah'"),
        (&["name; DROP TABLE runs"], "Invalid order_by clause"),
    ] {
        invalid(models_by(store, "", order), part);
    }
    invalid(versions_by(store, "", &["run_id DESC"]), "Invalid attribute key 'run_id' specified");
}
