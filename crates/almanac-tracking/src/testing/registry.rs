//! The model registry.

mod aliases;
mod search;
mod sources;

use crate::{
    Change, ErrorCode, Millis, NewModelVersion, NewWebhook, Stage, StoreError, Tag, TrackingStore, VersionStatus, WebhookEvent,
    WebhookStatus, WebhookUpdate,
};

pub(super) fn registry(store: &TrackingStore) {
    models(store);
    names(store);
    versions(store);
    stages(store);
    tags(store);
    registering(store);
    webhooks(store);
    aliases::aliases(store);
    search::search(store);
    sources::sources(store);
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.into(), value: value.into() }
}

fn new(model: &str, source: &str) -> NewModelVersion {
    NewModelVersion { model: model.into(), source: source.into(), ..NewModelVersion::default() }
}

/// Makes a model with as many versions.
fn model_of(store: &TrackingStore, name: &str, versions: u32) {
    store.create_registered_model(name, "", &[], Millis(1)).expect("makes");
    for number in 1..=versions {
        let made = store.create_model_version(&new(name, "s3://bucket/model"), Millis(1)).expect("registers");
        assert_eq!(made.version, number);
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, StoreError>, code: ErrorCode, part: &str) {
    let error = answer.expect_err("it is refused");
    assert_eq!(error.code(), Some(code), "{error}");
    assert!(error.to_string().contains(part), "`{part}` is not in `{error}`");
}

#[track_caller]
fn invalid<T: std::fmt::Debug>(answer: Result<T, StoreError>, part: &str) {
    refused(answer, ErrorCode::InvalidParameterValue, part);
}

#[track_caller]
fn missing<T: std::fmt::Debug>(answer: Result<T, StoreError>, part: &str) {
    refused(answer, ErrorCode::ResourceDoesNotExist, part);
}

fn models(store: &TrackingStore) {
    let tags = [tag("b", "1"), tag("a", "0"), tag("b", "2")];
    let made = store.create_registered_model("registry größe", "what it is", &tags, Millis(10)).expect("makes");
    assert_eq!((made.created, made.updated, &made.description[..]), (Millis(10), Millis(10), "what it is"));
    assert_eq!(made.tags, [tag("a", "0"), tag("b", "2")], "of a key that comes twice the last one counts");
    assert_eq!(store.get_registered_model("registry größe").expect("is there"), made);
    let again = store.create_registered_model("registry größe", "", &[], Millis(11));
    refused(again, ErrorCode::ResourceAlreadyExists, "Registered Model (name=registry größe) already exists.");

    let updated = store.update_registered_model("registry größe", "", Millis(12)).expect("updates");
    assert_eq!((&updated.description[..], updated.created, updated.updated), ("", Millis(10), Millis(12)));

    store.create_model_version(&new("registry größe", "s3://bucket/a"), Millis(13)).expect("registers");
    store.set_model_version_tag("registry größe", 1, &tag("k", "v")).expect("sets");
    store.set_alias("registry größe", "best", 1, &Change::default(), Millis(14)).expect("sets");
    let renamed = store.rename_registered_model("registry größe", "registry renamed", Millis(20)).expect("renames");
    assert_eq!((&renamed.name[..], renamed.updated), ("registry renamed", Millis(20)));
    assert_eq!(renamed.aliases, [("best".to_owned(), 1)]);
    assert_eq!(renamed.latest.len(), 1);
    let version = store.get_model_version("registry renamed", 1).expect("came along");
    assert_eq!((&version.tags[..], version.updated), (&[tag("k", "v")][..], Millis(20)));
    assert_eq!(store.alias_moves("registry renamed", None).expect("came along").len(), 1);
    missing(store.get_registered_model("registry größe"), "Registered Model with name=registry größe not found");
    missing(store.rename_registered_model("registry größe", "registry other", Millis(1)), "not found");
    store.rename_registered_model("registry renamed", "registry renamed", Millis(20)).expect("to itself");
    store.create_registered_model("registry größe", "", &[], Millis(21)).expect("the old name is free");
    let taken = store.rename_registered_model("registry renamed", "registry größe", Millis(22));
    refused(taken, ErrorCode::ResourceAlreadyExists, "Registered Model (name=registry größe) already exists");
    invalid(store.rename_registered_model("registry renamed", " ", Millis(22)), "Missing value for required parameter 'new_name'");

    store.delete_registered_model("registry renamed", &Change::default(), Millis(30)).expect("deletes");
    missing(store.delete_registered_model("registry renamed", &Change::default(), Millis(30)), "name=registry renamed not found");
    missing(store.update_registered_model("registry renamed", "x", Millis(30)), "name=registry renamed not found");
    missing(store.get_model_version("registry renamed", 1), "Model Version (name=registry renamed, version=1) not found");
    assert!(store.version_by_alias("registry renamed", "best").expect("asks").is_none());
    store.create_registered_model("registry renamed", "", &[], Millis(31)).expect("the name is free");
    let first = store.create_model_version(&new("registry renamed", "s3://bucket/a"), Millis(32)).expect("registers");
    assert_eq!((first.version, first.tags.len(), first.aliases.len()), (1, 0, 0), "nothing is left of the old model");
}

fn names(store: &TrackingStore) {
    for name in ["", " ", "a/b", "a:b", "..", ".", &"x".repeat(257)] {
        invalid(store.create_registered_model(name, "", &[], Millis(1)), "name");
        invalid(store.get_registered_model(name), "name");
    }
    store.create_registered_model(&"ü".repeat(256), "", &[], Millis(1)).expect("a long name");
    let odd = "registry 'x'; DROP TABLE runs; --\"%_";
    store.create_registered_model(odd, "", &[], Millis(1)).expect("odd names are names");
    assert_eq!(store.get_registered_model(odd).expect("is there").name, odd);
}

fn versions(store: &TrackingStore) {
    let model = "registry versions";
    missing(store.create_model_version(&new(model, "s3://bucket/a"), Millis(1)), "Registered Model with name=registry versions not found");
    store.create_registered_model(model, "", &[], Millis(1)).expect("makes");
    let full = NewModelVersion {
        run_id: Some("a run that nobody knows".into()),
        description: "the best".into(),
        user: "ann".into(),
        run_link: "https://example.org/run".into(),
        tags: vec![tag("k", "1"), tag("k", "2")],
        ..new(model, "s3://bucket/a")
    };
    let made = store.create_model_version(&full, Millis(5)).expect("registers");
    assert_eq!((made.version, made.stage, made.status), (1, Stage::None, VersionStatus::Ready));
    assert_eq!((made.created, made.updated), (Millis(5), Millis(5)));
    assert_eq!((&made.description[..], &made.user[..], &made.run_link[..]), ("the best", "ann", "https://example.org/run"));
    assert_eq!(made.run_id.as_deref(), Some("a run that nobody knows"));
    assert_eq!(made.tags, [tag("k", "2")]);
    assert_eq!(store.get_model_version(model, 1).expect("is there"), made);
    assert_eq!(store.model_version_download_uri(model, 1).expect("is there"), "s3://bucket/a");
    assert_eq!(store.get_registered_model(model).expect("is there").updated, Millis(5), "a new version changes its model");

    let updated = store.update_model_version(model, 1, "good", Millis(6)).expect("updates");
    assert_eq!((&updated.description[..], updated.updated), ("good", Millis(6)));
    assert_eq!(store.get_registered_model(model).expect("is there").updated, Millis(5), "a description does not");

    for number in 2..=4 {
        assert_eq!(store.create_model_version(&new(model, "s3://bucket/b"), Millis(7)).expect("registers").version, number);
    }
    for number in [1, 4] {
        store.delete_model_version(model, number, &Change::default(), Millis(8)).expect("deletes");
        missing(store.get_model_version(model, number), "not found");
        missing(store.delete_model_version(model, number, &Change::default(), Millis(8)), "not found");
        missing(store.update_model_version(model, number, "x", Millis(8)), "not found");
        missing(store.model_version_download_uri(model, number), "not found");
    }
    assert_eq!(store.create_model_version(&new(model, "s3://bucket/c"), Millis(9)).expect("registers").version, 5, "no number twice");
    let left: Vec<u32> = store.model_versions(model).expect("lists").iter().map(|version| version.version).collect();
    assert_eq!(left, [5, 3, 2], "newest first");
    missing(store.update_model_version("registry nothing", 1, "x", Millis(8)), "version=1) not found");
    for huge in [
        NewModelVersion { run_id: Some("x".repeat(2_000)), ..new(model, "s3://b/a") },
        new(model, &format!("s3://b/{}", "%25".repeat(5_000))),
    ] {
        invalid(store.create_model_version(&huge, Millis(1)), "exceeds the maximum length");
    }
}

fn stages(store: &TrackingStore) {
    let model = "registry stages";
    missing(store.latest_versions(model, &[]), "Registered Model with name=registry stages not found");
    model_of(store, model, 4);
    let stage = |number| store.get_model_version(model, number).expect("is there").stage;
    let latest = |stages: &[Stage]| -> Vec<(u32, Stage)> {
        store.latest_versions(model, stages).expect("asks").iter().map(|version| (version.version, version.stage)).collect()
    };
    assert_eq!(latest(&[]), [(4, Stage::None)]);
    store.transition_stage(model, 1, Stage::Staging, false, Millis(2)).expect("moves");
    store.transition_stage(model, 2, Stage::Production, false, Millis(2)).expect("moves");
    assert_eq!(latest(&[]), [(1, Stage::Staging), (2, Stage::Production), (4, Stage::None)]);
    assert_eq!(latest(&[Stage::Production, Stage::Archived]), [(2, Stage::Production)]);
    let moved = store.transition_stage(model, 3, Stage::Staging, true, Millis(3)).expect("moves");
    assert_eq!((moved.stage, moved.updated), (Stage::Staging, Millis(3)));
    assert_eq!((stage(1), stage(2), stage(3)), (Stage::Archived, Stage::Production, Stage::Staging));
    assert_eq!(store.get_model_version(model, 1).expect("is there").updated, Millis(3));
    assert_eq!(store.get_registered_model(model).expect("is there").updated, Millis(3));
    store.transition_stage(model, 3, Stage::Staging, true, Millis(4)).expect("stays");
    assert_eq!(stage(3), Stage::Staging);
    for inactive in [Stage::None, Stage::Archived] {
        invalid(
            store.transition_stage(model, 1, inactive, true, Millis(5)),
            "is not an Active stage. Valid stages are ['Staging', 'Production']",
        );
        store.transition_stage(model, 1, inactive, false, Millis(5)).expect("moves");
    }
    missing(store.transition_stage(model, 9, Stage::Staging, true, Millis(6)), "version=9) not found");
    assert_eq!(stage(3), Stage::Staging, "a refusal archives nothing");
    store.delete_model_version(model, 3, &Change::default(), Millis(7)).expect("deletes");
    store.set_alias(model, "x", 2, &Change::default(), Millis(8)).expect("sets");
    let found = store.latest_versions(model, &[Stage::Production]).expect("asks");
    assert_eq!(found[0].aliases, ["x"]);
    let whole = store.get_registered_model(model).expect("is there");
    assert_eq!(whole.latest.iter().map(|version| version.version).collect::<Vec<_>>(), [1, 2, 4]);
    invalid(Stage::parse("unknown"), "Invalid Model Version stage: unknown. Value must be one of None, Staging, Production, Archived.");
    assert_eq!(Stage::parse("pROduction").expect("in any case"), Stage::Production);
}

fn tags(store: &TrackingStore) {
    let (model, other) = ("registry tags", "registry tags 2");
    model_of(store, model, 2);
    model_of(store, other, 1);
    for (name, value) in [(model, "1"), (other, "2"), (model, "3")] {
        store.set_registered_model_tag(name, &tag("k", value)).expect("sets");
        store.set_model_version_tag(name, 1, &tag("k", value)).expect("sets");
    }
    assert_eq!(store.get_registered_model(model).expect("is there").tags, [tag("k", "3")]);
    assert_eq!(store.get_registered_model(other).expect("is there").tags, [tag("k", "2")]);
    assert_eq!(store.get_model_version(model, 1).expect("is there").tags, [tag("k", "3")]);
    assert!(store.get_model_version(model, 2).expect("is there").tags.is_empty());
    for _ in 0..2 {
        store.delete_registered_model_tag(model, "k").expect("twice is fine");
        store.delete_model_version_tag(model, 1, "k").expect("twice is fine");
    }
    assert!(store.get_registered_model(model).expect("is there").tags.is_empty());
    assert!(store.get_model_version(model, 1).expect("is there").tags.is_empty());
    assert_eq!(store.get_model_version(other, 1).expect("is there").tags, [tag("k", "2")]);

    let long = tag("long", &"a".repeat(100_001));
    invalid(store.set_registered_model_tag(model, &long), "'value' exceeds the maximum length of 100000 characters");
    invalid(store.set_model_version_tag(model, 1, &long), "'value' exceeds the maximum length of 100000 characters");
    let text = tag("mlflow.prompt.text", &"a".repeat(100_001));
    invalid(store.set_model_version_tag(model, 1, &text), "Prompt text exceeds max length of 100000 characters.");
    store.set_model_version_tag(model, 1, &tag("long", &"a".repeat(100_000))).expect("just fits");
    invalid(store.set_registered_model_tag(model, &tag("", "")), "Missing value for required parameter 'key'");
    invalid(store.delete_registered_model_tag(model, ""), "Missing value for required parameter 'key'");
    for key in ["a$b", "../x", "a//b", &"k".repeat(251)] {
        invalid(store.set_registered_model_tag(model, &tag(key, "")), "");
        invalid(store.create_registered_model("registry bad tag", "", &[tag(key, "")], Millis(1)), "");
        invalid(store.create_model_version(&NewModelVersion { tags: vec![tag(key, "")], ..new(model, "s3://b/x") }, Millis(1)), "");
    }
    missing(store.get_registered_model("registry bad tag"), "not found");
    missing(store.set_registered_model_tag("registry nothing", &tag("k", "")), "Registered Model with name=registry nothing not found");
    missing(store.delete_registered_model_tag("registry nothing", "k"), "not found");
    missing(store.set_model_version_tag(model, 9, &tag("k", "")), "Model Version (name=registry tags, version=9) not found");
    missing(store.delete_model_version_tag(model, 9, "k"), "version=9) not found");
}

/// What the pipeline asks for.
fn registering(store: &TrackingStore) {
    let model = "registry demand";
    let pending =
        |source: &str, run: &str| NewModelVersion { run_id: Some(run.into()), status: VersionStatus::Pending, ..new(model, source) };
    assert!(store.version_by_alias(model, "champion").expect("asks").is_none());
    assert!(store.model_versions(model).expect("asks").is_empty());
    let first = store.register_version(&pending("bundles/a", "r1"), Millis(40)).expect("registers");
    let again = store.register_version(&pending("bundles/a", "r1"), Millis(41)).expect("finds");
    assert_eq!(first, again, "the same run and source is the same version");
    assert_eq!((&first.source[..], &first.storage_location[..]), ("bundles/a", "bundles/a"), "a source is taken as it is");
    let second = store.register_version(&pending("bundles/b", "r2"), Millis(42)).expect("registers");
    assert_eq!((first.version, second.version), (1, 2));

    store.set_version_status(model, 2, VersionStatus::Ready, "", Millis(50)).expect("sets");
    let versions = store.model_versions(model).expect("lists");
    assert_eq!(versions.iter().map(|version| version.version).collect::<Vec<_>>(), [2, 1], "newest first");
    assert_eq!((versions[0].status, versions[1].status), (VersionStatus::Ready, VersionStatus::Pending));
    store.set_version_status(model, 1, VersionStatus::Failed, "no space", Millis(51)).expect("sets");
    assert_eq!(store.get_model_version(model, 1).expect("is there").status_message, "no space");
    missing(store.set_version_status(model, 9, VersionStatus::Ready, "", Millis(1)), "version=9) not found");

    let change = Change { actor: "almanac".into(), reason: "best of the backtest".into() };
    store.set_alias(model, "champion", 1, &change, Millis(60)).expect("sets");
    store.set_alias(model, "champion", 2, &change, Millis(61)).expect("moves");
    let champion = store.version_by_alias(model, "champion").expect("asks").expect("is there");
    assert_eq!((champion.version, &champion.aliases[..]), (2, &["champion".to_owned()][..]));
    let models = store.registered_models().expect("lists");
    let found = models.iter().find(|found| found.name == model).expect("is there");
    assert_eq!((&found.aliases[..], found.updated), (&[("champion".to_owned(), 2)][..], Millis(61)));
    assert!(models.is_sorted_by(|a, b| a.name < b.name), "by name");
    invalid(store.register_version(&new("a/b", "c"), Millis(1)), "Names cannot contain '/' or ':'");
}

fn webhooks(store: &TrackingStore) {
    let event = |entity, action| WebhookEvent::parse(entity, action).expect("MLflow knows it");
    let events = vec![event("MODEL_VERSION", "CREATED"), event("REGISTERED_MODEL", "CREATED")];
    let new = NewWebhook { name: "hook".into(), url: "https://example.org/a".into(), events: events.clone(), ..NewWebhook::default() };
    let made = store.create_webhook(&new, Millis(1_000)).expect("makes");
    assert_eq!((made.status, &made.events[..], made.created), (WebhookStatus::Active, &events[..], Millis(1_000)));
    assert_eq!(store.get_webhook(&made.id).expect("is there"), made);
    let update = WebhookUpdate { status: Some(WebhookStatus::Disabled), description: Some("why".into()), ..WebhookUpdate::default() };
    let updated = store.update_webhook(&made.id, &update, Millis(1_001)).expect("updates");
    assert_eq!((updated.status, &updated.description[..], updated.updated), (WebhookStatus::Disabled, "why", Millis(1_001)));
    assert_eq!((&updated.name[..], &updated.events[..]), ("hook", &events[..]), "the rest stays");

    let newer = store.create_webhook(&NewWebhook { name: "h".into(), ..new.clone() }, Millis(1_002)).expect("makes");
    let page = store.list_webhooks(1, None).expect("lists");
    assert_eq!(page.items, std::slice::from_ref(&newer), "newest first");
    let rest = store.list_webhooks(0, page.next.as_deref()).expect("lists");
    assert!(rest.items.contains(&updated) && rest.next.is_none());
    for (name, url, events) in [
        ("", "https://example.org", events.clone()),
        ("-a", "https://example.org", events.clone()),
        ("a b", "https://example.org", events.clone()),
        (&"x".repeat(64), "https://example.org", events.clone()),
        ("a", &format!("https://example.org/{}", "x".repeat(2_048)), events.clone()),
        ("a", "https://example.org", Vec::new()),
    ] {
        invalid(store.create_webhook(&NewWebhook { name: name.into(), url: url.into(), events, ..new.clone() }, Millis(1)), "");
    }
    invalid(store.list_webhooks(1_001, None), "max_results must be between 1 and 1000.");
    for webhook in [&made.id, &newer.id] {
        store.delete_webhook(webhook).expect("deletes");
        missing(store.get_webhook(webhook), "not found.");
        missing(store.delete_webhook(webhook), "not found.");
        missing(store.update_webhook(webhook, &update, Millis(1)), "not found.");
    }
}
