//! Searching logged models. Cases and words as MLflow 3.17 answers them, but for statuses and for datasets without a digest,
//! which it takes and never finds.

use super::{experiment, made, message, metric, new, param, run, tag};
use crate::{
    Batch, DatasetFilter, ExperimentId, LoggedModelId, LoggedModelOrder, LoggedModelQuery, LoggedModelStatus, Millis, NewLoggedModel, Page,
    StoreError, TrackingStore,
};

/// Checks everything about searches.
pub(super) fn search(store: &TrackingStore) {
    let world = World::new(store);
    filters_find_what_they_say(&world);
    what_is_no_filter_is_refused(&world);
    orders_are_kept(&world);
    datasets_narrow_metrics(&world);
    pages_join_without_gaps(&world);
    only_the_experiments_asked_for_are_searched(&world);
    a_metric_logged_many_times_finds_its_model_once(store);
}

/// Models `a`, `b`, `c` and `d`, made in that order.
struct World<'a> {
    store: &'a TrackingStore,
    experiment: ExperimentId,
    ids: Vec<LoggedModelId>,
}

impl<'a> World<'a> {
    fn new(store: &'a TrackingStore) -> Self {
        let experiment = experiment(store);
        let run = run(store, experiment);
        let mut ids = Vec::new();
        for (place, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
            let asked = NewLoggedModel {
                params: vec![param("p", &(place + 1).to_string())],
                tags: vec![tag("my tag", name), tag("z.y", name)],
                model_type: if name == "a" { "first".to_owned() } else { String::new() },
                source_run: if name == "b" { run.to_string() } else { String::new() },
                ..new(experiment, name)
            };
            store.create_logged_model(&asked, Millis(100 + place as i64)).expect("made");
            ids.push(asked.id);
        }
        let world = Self { store, experiment, ids };
        let mut metrics = Vec::new();
        for (place, value) in [1.0, 2.0, 3.0].into_iter().enumerate() {
            let id = &world.ids[place];
            let (name, digest) = (format!("d{value}"), format!("g{value}"));
            metrics.push(metric("m", value, (10, 2), id, Some((&name, &digest))));
            metrics.push(metric("m", 10.0 - value, (10, 1), id, Some(("all", "g"))));
            metrics.push(metric("my metric", 1.0, (10, 1), id, None));
        }
        metrics.push(metric("n", f64::NAN, (10, 1), &world.ids[0], None));
        metrics.push(metric("n", 5.0, (10, 1), &world.ids[1], None));
        store.log_batch(&run, &Batch { metrics, ..Batch::default() }).expect("logged");
        store.finalize_logged_model(&world.ids[3], LoggedModelStatus::Ready, Millis(200)).expect("finalized");
        world
    }

    fn query(&self, filter: &str) -> LoggedModelQuery {
        LoggedModelQuery {
            experiments: vec![self.experiment],
            filter: filter.to_owned(),
            datasets: Vec::new(),
            max_results: 100,
            order_by: Vec::new(),
            page_token: None,
        }
    }

    fn ask(&self, query: &LoggedModelQuery) -> Result<String, StoreError> {
        Ok(names(&self.store.search_logged_models(query)?))
    }

    #[track_caller]
    fn check(&self, filter: &str, expected: &str) {
        assert_eq!(self.ask(&self.query(filter)).expect("a filter"), expected, "{filter}");
    }

    #[track_caller]
    fn refuse(&self, filter: &str, expected: &str) {
        let refused = message(self.store.search_logged_models(&self.query(filter)));
        assert!(refused.starts_with(expected), "{filter}: {refused}");
    }
}

fn names(page: &Page<crate::LoggedModel>) -> String {
    page.items.iter().map(|model| model.name.as_str()).collect()
}

fn filters_find_what_they_say(world: &World<'_>) {
    world.check("", "dcba");
    world.check("name = 'a'", "a");
    world.check("attributes.name = 'a'", "a");
    world.check("name != 'a'", "dcb");
    world.check("name LIKE 'A%'", "");
    world.check("name ilike 'A%'", "a");
    world.check("name IN ('a', 'b')", "ba");
    world.check("name NOT IN ('a')", "dcb");
    world.check("name IN ()", "");
    world.check("params.p = '1'", "a");
    world.check("params.p != '1'", "dcb");
    world.check("params.p IN ('1', '2') AND name != 'a'", "b");
    world.check("params.other != '1'", "");
    world.check("tags.`my tag` = 'b'", "b");
    world.check("tags.z.y LIKE '%'", "dcba");
    world.check("metrics.m > 7.5", "ba");
    world.check("metrics.m = 2e0", "b");
    world.check("metrics.m > 2 AND metrics.m < 3", "ba");
    world.check("metrics.`my metric` >= 1", "cba");
    world.check("metrics.n > -1", "b");
    world.check("metrics.n != 5", "a");
    world.check("metrics.m > 1 AND params.p = '2' AND tags.`my tag` = 'b'", "b");
    world.check("creation_timestamp > 101", "dc");
    world.check("creation_time <= 101", "ba");
    world.check("last_updated_timestamp = 200", "d");
    world.check("status = 'READY'", "d");
    world.check("status != 'LOGGED_MODEL_READY'", "cba");
    world.check("status IN ('1')", "cba");
    world.check("status LIKE 'PEND%'", "cba");
    world.check("model_type = 'first'", "a");
    world.check("source_run_id != ''", "b");
    world.check(&format!("model_id = '{}'", world.ids[2]), "c");
    world.check(&format!("experiment_id = '{}'", world.experiment), "dcba");
    world.check("artifact_location LIKE '%/models/m-%'", "dcba");
    world.check("name = 'a'' OR 1 = 1 --'", "");
}

fn what_is_no_filter_is_refused(world: &World<'_>) {
    let rule = "Expected a list of comparisons separated by 'AND' (e.g. 'metrics.loss > 0.1 AND params.lr = 0.01').";
    world.refuse("Foo", &format!("Invalid filter string: 'Foo'. {rule}"));
    world.refuse("name = 'a' OR name = 'b'", &format!("Invalid filter string: \"name = 'a' OR name = 'b'\". {rule}"));
    world.refuse("name = 'a", "Invalid filter string: ");
    world.refuse("(name = 'a')", "Invalid filter string: ");
    world.refuse("foo.bar = 'a'", "Invalid entity type: 'foo'. Expected one of ['attributes', 'metrics', 'params', 'tags'].");
    world.refuse("param.p = '1'", "Invalid entity type: 'param'.");
    let texts = "Expected one of ('=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN').";
    world.refuse("name > 'a'", &format!("Invalid comparison operator for attributes.name: '>'. {texts}"));
    let numbers = "Expected one of ('<', '<=', '>', '>=', '=', '!=').";
    world.refuse("metrics.foo LIKE 0", &format!("Invalid comparison operator for metrics.foo: 'LIKE'. {numbers}"));
    world.refuse("params.p IS NULL", &format!("Invalid comparison operator for params.p: 'IS NULL'. {texts}"));
    world.refuse("metrics.m > '2'", "Expected numeric value type for metrics.m. Found '2'");
    world.refuse("metrics.m > nan", "Expected numeric value type for metrics.m. Found nan");
    world.refuse("name = ('a')", "Expected a quoted string value for name.");
    world.refuse("name IN 'a'", "Expected a list of quoted strings for name.");
    world.refuse("other = 'a'", "Invalid attribute key 'other' specified.");
}

fn by(field: &str, ascending: bool) -> LoggedModelOrder {
    LoggedModelOrder { field: field.to_owned(), ascending, dataset_name: None, dataset_digest: None }
}

fn orders_are_kept(world: &World<'_>) {
    let ordered = |order_by: Vec<LoggedModelOrder>| world.ask(&LoggedModelQuery { order_by, ..world.query("") });
    let check = |order_by: Vec<LoggedModelOrder>, expected: &str| {
        assert_eq!(ordered(order_by.clone()).expect("an order"), expected, "{order_by:?}");
    };
    check(vec![by("creation_time", true)], "abcd");
    check(vec![by("creation_timestamp", false)], "dcba");
    check(vec![by("last_updated_timestamp", false)], "dcba");
    check(vec![by("name", false)], "dcba");
    check(vec![by("status", false)], "dcba");
    check(vec![by("model_type", false)], "adcb");
    check(vec![by("metrics.m", true)], "abcd");
    check(vec![by("metrics.m", false)], "cbad");
    // NaN and none come last in both directions, the newest first among them.
    check(vec![by("metrics.n", true)], "bdca");
    check(vec![by("metrics.n", false)], "bdca");
    check(vec![by("metrics.n", true), by("name", true)], "bacd");
    check(vec![LoggedModelOrder { dataset_name: Some("all".to_owned()), ..by("metrics.m", true) }], "cbad");
    check(vec![LoggedModelOrder { dataset_digest: Some("g1".to_owned()), ..by("metrics.m", true) }], "adcb");
    check(vec![by("metrics.m", false), by("metrics.m", true)], "cbad");
    assert_eq!(message(ordered(vec![by("other", true)])), "Invalid order by field name: other");
    assert_eq!(message(ordered(vec![by("", true)])), "Invalid order by field name: ");
    assert_eq!(message(ordered(vec![by("params.p", true)])), "Invalid order by field name: params.p. Only metrics are supported.");
}

fn datasets_narrow_metrics(world: &World<'_>) {
    let on = |datasets: &[(&str, Option<&str>)], filter: &str| {
        let filters = datasets.iter().map(|(name, digest)| DatasetFilter { name: (*name).to_owned(), digest: digest.map(str::to_owned) });
        world.ask(&LoggedModelQuery { datasets: filters.collect(), ..world.query(filter) })
    };
    assert_eq!(on(&[("d1", Some("g1"))], "").expect("found"), "a");
    assert_eq!(on(&[("d1", Some("g2"))], "").expect("found"), "");
    assert_eq!(on(&[("d1", Some("g1")), ("d2", None)], "").expect("found"), "ba");
    assert_eq!(on(&[("d1", None), ("d2", None)], "metrics.m > 1").expect("found"), "b");
    assert_eq!(on(&[("all", None)], "metrics.m > 7.5 AND name != 'a'").expect("found"), "b");
    assert_eq!(message(on(&[("", Some("g1"))], "")), "`dataset_name` in the `datasets` clause must be specified.");
}

fn pages_join_without_gaps(world: &World<'_>) {
    let ask = |query: LoggedModelQuery| world.store.search_logged_models(&query);
    let first = ask(LoggedModelQuery { max_results: 3, ..world.query("") }).expect("a page");
    assert_eq!((names(&first).as_str(), first.next.is_some()), ("dcb", true));
    let token = first.next;
    let second = ask(LoggedModelQuery { max_results: 1, page_token: token.clone(), ..world.query("") }).expect("a page");
    assert_eq!((names(&second).as_str(), second.next), ("a", None), "a full last page is the last");
    let after = |query: LoggedModelQuery| message(ask(LoggedModelQuery { page_token: token.clone(), ..query }));
    assert_eq!(
        after(LoggedModelQuery { experiments: vec![ExperimentId(0)], ..world.query("") }),
        format!(
            "Experiment IDs in the page token do not match the requested experiment IDs. Expected: ['0']. Found: ['{}']",
            world.experiment
        )
    );
    assert_eq!(
        after(world.query("name = 'a'")),
        "Filter string in the page token does not match the requested filter string. Expected: name = 'a'. Found: None"
    );
    let refused = after(LoggedModelQuery { order_by: vec![by("name", true)], ..world.query("") });
    assert!(refused.starts_with("Order by in the page token does not match the requested order by. Expected: [{"), "{refused}");
    for token in ["%", "YWJj", "e30=", "WzFd"] {
        let refused = ask(LoggedModelQuery { page_token: Some(token.to_owned()), ..world.query("") });
        assert!(message(refused).contains("page token"), "{token}");
    }
    for most in [0, -1, i64::MIN] {
        assert!(ask(LoggedModelQuery { max_results: most, ..world.query("") }).is_err());
    }
}

fn only_the_experiments_asked_for_are_searched(world: &World<'_>) {
    let other = experiment(world.store);
    made(world.store, other);
    let within = |experiments: Vec<ExperimentId>| world.ask(&LoggedModelQuery { experiments, ..world.query("") }).expect("found");
    assert_eq!(within(vec![]), "");
    assert_eq!(within(vec![ExperimentId(i64::MAX)]), "");
    assert_eq!(within(vec![world.experiment, other]), "dcbamodel");
    world.store.delete_logged_model(&world.ids[1], Millis(300)).expect("deleted");
    assert_eq!(within(vec![world.experiment]), "dca", "deleted ones are not found");
}

fn a_metric_logged_many_times_finds_its_model_once(store: &TrackingStore) {
    let experiment = experiment(store);
    let (id, run) = (made(store, experiment), run(store, experiment));
    let metrics = (0..20).map(|step| metric("m", 1.0, (step, step), &id, Some(("d", "g")))).collect();
    store.log_batch(&run, &Batch { metrics, ..Batch::default() }).expect("logged");
    let query = LoggedModelQuery {
        experiments: vec![experiment],
        filter: "metrics.m = 1".to_owned(),
        datasets: vec![DatasetFilter { name: "d".to_owned(), digest: None }],
        max_results: 1,
        order_by: vec![by("metrics.m", true)],
        page_token: None,
    };
    let page = store.search_logged_models(&query).expect("found");
    assert_eq!((page.items.len(), page.next), (1, None));
}
