//! What a load brings, and that nothing is lost or comes twice.

use std::collections::BTreeSet;

use almanac_connect::ConnectError;

use crate::cluster::{Cluster, TOPIC, lines, said};

#[test]
fn a_topic_lands_up_to_its_end_and_goes_on_from_there() {
    let cluster = Cluster::new(2);
    cluster.produce(0, &[r#"{"day":"2024-01-01","units":3}"#, r#"{"day":"2024-01-02","units":4}"#]);
    cluster.produce(1, &[r#"{"day":"2024-01-01","units":5}"#]);
    let landed = cluster.land("{}").expect("lands");
    assert_eq!(landed.news, Some(3));
    assert_eq!(
        lines(&landed),
        [r#"{"day":"2024-01-01","units":3}"#, r#"{"day":"2024-01-02","units":4}"#, r#"{"day":"2024-01-01","units":5}"#]
    );
    assert_eq!(cluster.offsets(), [2, 1]);
    assert_eq!(cluster.land("{}").expect("lands").news, None);
    cluster.produce(1, &[r#"{"day":"2024-01-03","units":6}"#]);
    let landed = cluster.land("{}").expect("lands");
    assert_eq!((landed.news, lines(&landed).len()), (Some(1), 4));
    assert_eq!(cluster.offsets(), [2, 2]);
}

#[test]
fn a_load_that_dies_before_its_manifest_is_read_again_without_loss_or_doubles() {
    let cluster = Cluster::new(1);
    cluster.produce(0, &[r#"{"n":1}"#, r#"{"n":2}"#]);
    cluster.land("{}").expect("lands");
    cluster.produce(0, &[r#"{"n":3}"#]);
    // What a kill between file and manifest leaves: the next load's file, whole or half, and no word of it.
    let stray = cluster.landing().join("t/load-000002.jsonl");
    std::fs::write(&stray, "{\"n\":3}\n{\"n\":").expect("writable");
    let landed = cluster.land("{}").expect("lands");
    assert_eq!(lines(&landed), [r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#]);
}

#[test]
fn a_load_that_dies_after_its_manifest_is_not_read_again() {
    let cluster = Cluster::new(1);
    cluster.produce(0, &[r#"{"n":1}"#]);
    cluster.land("{}").expect("lands");
    // The group was never told: another group knows nothing, and that makes no difference.
    let landed = cluster.land(r#"{"group":"another"}"#).expect("lands");
    assert_eq!((landed.news, lines(&landed).len()), (None, 1));
}

#[test]
fn many_loads_with_a_cap_bring_every_message_once() {
    let cluster = Cluster::new(3);
    for n in 0..300 {
        cluster.send(n % 3, None, Some(format!(r#"{{"n":{n}}}"#).as_bytes()));
    }
    cluster.flush();
    let mut loads = 0;
    let landed = loop {
        let landed = cluster.land(r#"{"max_messages":70}"#).expect("lands");
        if landed.news.is_none() {
            break landed;
        }
        loads += 1;
        assert!(landed.news <= Some(70) && loads < 10);
    };
    let distinct: BTreeSet<String> = lines(&landed).into_iter().collect();
    assert_eq!((lines(&landed).len(), distinct.len(), loads), (300, 300, 5));
}

#[test]
fn a_message_without_a_value_deletes_its_key() {
    let cluster = Cluster::new(1);
    cluster.send(0, Some("7"), Some(br#"{"id":7,"units":1}"#));
    cluster.send(0, Some(r#"{"id":8}"#), Some(br#"{"units":2}"#));
    cluster.flush();
    let keys = r#"{"key":["id"],"with":["deleted"]}"#;
    cluster.land(keys).expect("lands");
    cluster.send(0, Some("7"), None);
    cluster.flush();
    let landed = cluster.land(keys).expect("lands");
    let mut current = lines(&landed);
    current.sort();
    assert_eq!(current, [r#"{"_deleted":false,"id":8,"units":2}"#, r#"{"_deleted":true,"id":7}"#]);
    let history = landed.history.expect("a history");
    let text = std::fs::read_to_string(&history[0]).expect("readable");
    assert!(text.contains(r#""id":7,"units":1"#), "{text}");
}

#[test]
fn key_time_headers_and_place_become_columns_on_demand() {
    let cluster = Cluster::new(1);
    cluster.send(0, Some("k"), Some(br#"{"units":1}"#));
    cluster.flush();
    let landed = cluster.land(r#"{"with":["key","timestamp","headers","offset"]}"#).expect("lands");
    assert_eq!(
        lines(&landed),
        [r#"{"_headers":{"source":"till"},"_key":"k","_offset":0,"_partition":0,"_timestamp":"2024-01-31T00:00:00.123Z","units":1}"#]
    );
}

#[test]
fn a_message_that_cannot_be_read_keeps_its_place_and_stops_nothing() {
    let cluster = Cluster::new(1);
    cluster.send(0, None, Some(br#"{"id":1}"#));
    cluster.send(0, None, Some(b"\xff\xfe not json"));
    cluster.send(0, None, Some(b"[1]"));
    cluster.send(0, None, Some(br#"{"other":1}"#));
    cluster.flush();
    let landed = cluster.land(r#"{"key":["id"]}"#).expect("lands");
    let lines = lines(&landed);
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[1].starts_with(r#""shop.sales/0 offset 1: it is no JSON: "#), "{lines:?}");
    assert!(lines[2].contains("offset 2: it is no object with members: [1]"), "{lines:?}");
    assert!(lines[3].contains("offset 3: neither its value nor its key has `id`"), "{lines:?}");
    assert_eq!(landed.notes, ["3 of 4 messages cannot be read; they go to quarantine"]);
}

#[test]
fn messages_that_are_gone_stop_the_load_unless_they_may_be_missing() {
    let cluster = Cluster::new(1);
    cluster.produce(0, &[r#"{"n":1}"#, r#"{"n":2}"#]);
    cluster.land("{}").expect("lands");
    // Another cluster, another topic of the same name: it has less than was read.
    let other = Cluster::new(1);
    other.produce(0, &[r#"{"n":9}"#]);
    let url = format!("kafka://{}/{TOPIC}", other.mock.bootstrap_servers());
    let keys = serde_json::json!({ "url": url }).to_string();
    let error = cluster.land(&keys).expect_err("gone");
    assert!(matches!(error, ConnectError::Gap { wanted: 2, first: 0, last: 1, .. }), "{}", said(&error));
    let keys = serde_json::json!({ "url": url, "on_gap": "skip" }).to_string();
    let landed = cluster.land(&keys).expect("lands");
    assert_eq!(lines(&landed).last().map(String::as_str), Some(r#"{"n":9}"#));
}

#[test]
fn a_table_can_begin_with_what_comes_next() {
    let cluster = Cluster::new(1);
    cluster.produce(0, &[r#"{"n":1}"#]);
    cluster.land(r#"{"start":"latest"}"#).expect("lands");
    cluster.produce(0, &[r#"{"n":2}"#]);
    let landed = cluster.land(r#"{"start":"latest"}"#).expect("lands");
    assert_eq!(lines(&landed), [r#"{"n":2}"#]);
}

#[test]
fn nobody_there_is_an_error_in_bounded_time() {
    let cluster = Cluster::new(1);
    let started = std::time::Instant::now();
    let error = cluster.land(r#"{"url":"kafka://127.0.0.1:1/shop.sales","timeout":"1s"}"#).expect_err("nobody");
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{}", said(&error));
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
    let error = cluster.probe(r#"{"url":"kafka://127.0.0.1:1/shop.sales","timeout":"1s"}"#).expect_err("nobody");
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{}", said(&error));
    cluster.probe("{}").expect("there");
}

#[test]
fn an_empty_topic_and_one_that_is_not_there_are_named() {
    let cluster = Cluster::new(1);
    let error = cluster.land("{}").expect_err("empty");
    assert!(matches!(error, ConnectError::Empty { .. }), "{}", said(&error));
    cluster.mock.topic_error("elsewhere", rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART).expect("set");
    let keys = format!(r#"{{"url":"kafka://{}/elsewhere","timeout":"2s"}}"#, cluster.mock.bootstrap_servers());
    let error = cluster.land(&keys).expect_err("missing");
    assert!(matches!(error, ConnectError::Missing { .. }), "{}", said(&error));
}

#[test]
fn passwords_are_in_no_error_and_in_no_manifest() {
    let mut cluster = Cluster::new(1);
    cluster.variables.insert("PASSWORD".into(), "hunter22".into());
    let keys = r#"{"sasl":"PLAIN","user":"ann","password":"${env:PASSWORD}","timeout":"2s"}"#;
    // The mock cluster knows no SASL: whatever it says, the password is not in it.
    let error = cluster.land(keys).expect_err("refused");
    assert!(!format!("{error:?} {}", said(&error)).contains("hunter22"), "{error:?}");
    cluster.variables.clear();
    let error = cluster.land(keys).expect_err("unset");
    assert!(said(&error).contains("PASSWORD"), "{}", said(&error));
}
