//! Keys that make sense, and those that do not.

use std::time::Duration;

use super::*;

fn spec(text: &str) -> Result<SourceSpec, SpecError> {
    let keys: SourceKeys = serde_json::from_str(text).expect("known keys");
    SourceSpec::new(&keys)
}

#[test]
fn each_kind_of_source_is_told_by_its_url_and_keys() {
    assert!(matches!(spec(r#"{"url": "postgresql://reader@db/shop", "table": "sales"}"#), Ok(SourceSpec::Database(_))));
    assert!(matches!(spec(r#"{"url": "${env:DATABASE_URL}", "query": "SELECT 1"}"#), Ok(SourceSpec::Database(_))));
    assert!(matches!(spec(r#"{"url": "s3://b/*.parquet"}"#), Ok(SourceSpec::Objects(_))));
    assert!(matches!(spec(r#"{"url": ["https://h/a.csv", "https://h/b.csv"]}"#), Ok(SourceSpec::Objects(_))));
    assert!(matches!(spec(r#"{"url": "https://h/api", "rows": ""}"#), Ok(SourceSpec::Rest(_))));
    for url in ["delta:lake/sales", "delta:/lake/sales/", "delta:s3://b/sales", "delta:${env:LAKE}/sales"] {
        assert!(matches!(spec(&format!(r#"{{"url": "{url}", "version": 3}}"#)), Ok(SourceSpec::Delta(_))), "{url}");
    }
}

#[test]
fn secrets_in_the_configuration_are_refused() {
    for text in [
        r#"{"url": "postgresql://u:hunter22@db/shop", "table": "sales"}"#,
        r#"{"url": "postgresql://u@db/shop?password=hunter22", "table": "sales"}"#,
        r#"{"url": "postgresql://u:hunter22@${env:HOST}:5432/shop", "table": "sales"}"#,
        r#"{"url": "postgresql://u:x${env:PW}hunter22@db/shop", "table": "sales"}"#,
        r#"{"url": "https://h/a.csv?sig=hunter22"}"#,
        r#"{"url": "https://h/a", "rows": "", "auth": "Bearer hunter22"}"#,
        r#"{"url": "https://h/a", "rows": "", "headers": {"X-Api-Key": "hunter22"}}"#,
        r#"{"url": "https://h/a", "rows": "", "params": {"access_token": "hunter22"}}"#,
    ] {
        let error = spec(text).expect_err(text);
        assert!(error.reason.contains("stands in the configuration"), "{error:?}");
        assert!(!format!("{error:?}").contains("hunter22"), "{error:?}");
    }
    for text in [
        r#"{"url": "postgresql://u:${env:PW}@db/shop", "table": "sales"}"#,
        r#"{"url": "https://h:80/a@b.csv"}"#,
        r#"{"url": "https://h/a", "rows": "", "auth": "Bearer ${file:token}", "headers": {"X-Api-Key": "${env:K}"}}"#,
    ] {
        spec(text).expect(text);
    }
}

#[test]
fn keys_that_do_not_go_together_are_named() {
    for (text, key) in [
        (r"{}", "url"),
        (r#"{"url": "ftp://h/x"}"#, "url"),
        (r#"{"url": "postgresql://h/d"}"#, "table"),
        (r#"{"url": "postgresql://h/d", "table": "t", "query": "SELECT 1"}"#, "query"),
        (r#"{"url": "postgresql://h/d", "query": "DELETE FROM t"}"#, "query"),
        (r#"{"url": "postgresql://h/d", "query": "SELECT 1", "where": "x"}"#, "where"),
        (r#"{"url": "postgresql://h/d", "table": "t", "rows": "/x"}"#, "rows"),
        (r#"{"url": "postgresql://h/d", "table": "t", "lookback": "2d"}"#, "lookback"),
        (r#"{"url": "postgresql://h/d", "table": "t", "watermark": "u", "lookback": "2d"}"#, "lookback"),
        (r#"{"url": "postgresql://h/d", "table": "t", "watermark": "u", "key": "id", "lookback": "soon"}"#, "lookback"),
        (r#"{"url": "postgresql://h/d", "table": "t", "columns": ["a"], "key": "id"}"#, "key"),
        (r#"{"url": "s3://b/x", "key": "id"}"#, "key"),
        (r#"{"url": ["s3://b/x", "gs://b/x", "postgresql://h/d"]}"#, "url"),
        (r#"{"url": "https://h/x", "paging": "link"}"#, "paging"),
        (r#"{"url": "https://h/x", "rows": "data.items"}"#, "rows"),
        (r#"{"url": "https://h/x", "rows": "", "paging": "cursor"}"#, "cursor"),
        (r#"{"url": "https://h/x", "rows": "", "rate": "fast"}"#, "rate"),
        (r#"{"url": "https://h/x", "rows": "", "watermark": "u"}"#, "watermark"),
        (r#"{"url": "https://h/x", "rows": "", "params": {"since": "{watermark}"}}"#, "params"),
        (r#"{"url": "https://h/${x}", "rows": ""}"#, "url"),
        (r#"{"url": "delta:"}"#, "url"),
        (r#"{"url": "delta:https://h/sales"}"#, "url"),
        (r#"{"url": "delta:lake", "version": 1, "timestamp": "2024-01-31"}"#, "timestamp"),
        (r#"{"url": "delta:lake", "timestamp": "yesterday"}"#, "timestamp"),
        (r#"{"url": "delta:lake", "key": "id"}"#, "key"),
        (r#"{"url": "s3://b/x", "version": 1}"#, "version"),
        (r#"{"url": "postgresql://h/d", "table": "t", "timeout": "soon"}"#, "timeout"),
    ] {
        let error = spec(text).expect_err(text);
        assert_eq!(error.key, key, "{text}: {error:?}");
        assert!(error.hint.is_some(), "{text}");
    }
}

#[test]
fn times_and_rates_are_read() {
    let found = spec(
        r#"{"url": "https://h/x", "rows": "/d", "rate": "5/s", "timeout": "2m", "paging": "page", "watermark": "u", "key": "id", "lookback": "2d", "params": {"s": "{watermark}"}}"#,
    );
    let Ok(SourceSpec::Rest(rest)) = found else { panic!("{found:?}") };
    assert_eq!(rest.pace, Some(Duration::from_millis(200)));
    assert_eq!(rest.timeout, Duration::from_mins(2));
    assert_eq!(rest.paging, Paging::Page { param: "page".into(), first: 1 });
    assert_eq!(rest.lookback, Lookback::Time(Duration::from_hours(48)));
}

#[test]
fn a_topic_has_brokers_a_format_and_secrets_elsewhere() {
    let found = spec(r#"{"url": "kafka://a:9092,b:9092/shop.sales", "format": "avro", "schema": "sale.avsc", "tls": true}"#);
    let Ok(SourceSpec::Kafka(topic)) = found else { panic!("{found:?}") };
    assert_eq!((topic.topic.as_str(), topic.framing, topic.group.as_str()), ("shop.sales", KafkaFraming::Confluent, "almanac"));
    assert_eq!(SourceSpec::Kafka(topic).identity(), r#"{"kafka":"shop.sales"}"#);
    for (keys, key) in [
        (r#"{"url": "kafka://a:9092"}"#, "url"),
        (r#"{"url": "kafka://a:9092/"}"#, "url"),
        (r#"{"url": "kafka:///sales"}"#, "url"),
        (r#"{"url": "kafka://ann@a/sales"}"#, "url"),
        (r#"{"url": ["kafka://a/sales", "kafka://a/returns"]}"#, "url"),
        (r#"{"url": "kafka://a/sales", "format": "xml"}"#, "format"),
        (r#"{"url": "kafka://a/sales", "format": "avro"}"#, "schema"),
        (r#"{"url": "kafka://a/sales", "message": "shop.Sale"}"#, "message"),
        (r#"{"url": "kafka://a/sales", "framing": "single_object"}"#, "framing"),
        (r#"{"url": "kafka://a/sales", "with": ["colour"]}"#, "with"),
        (r#"{"url": "kafka://a/sales", "start": "now"}"#, "start"),
        (r#"{"url": "kafka://a/sales", "max_time": "soon"}"#, "max_time"),
        (r#"{"url": "kafka://a/sales", "table": "sales"}"#, "table"),
        (r#"{"url": "kafka://a/sales", "user": "ann"}"#, "sasl"),
        (r#"{"url": "kafka://a/sales", "sasl": "GSSAPI"}"#, "sasl"),
        (r#"{"url": "kafka://a/sales", "sasl": "PLAIN", "user": "ann", "password": "hunter22"}"#, "password"),
        (r#"{"url": "kafka://a/sales", "certificate": "me.pem"}"#, "certificate"),
    ] {
        let error = spec(keys).expect_err(keys);
        assert_eq!(error.key, key, "{keys}: {error}");
        assert!(!format!("{error:?}").contains("hunter22"));
    }
}
