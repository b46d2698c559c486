//! Values in Avro and Protobuf give the rows that JSON gives.

use almanac_connect::ConnectError;
use apache_avro::Schema;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;

use crate::cluster::{Cluster, lines, said};

const AVSC: &str = r#"{"type":"record","name":"Sale","namespace":"shop","fields":[
  {"name":"day","type":{"type":"int","logicalType":"date"}},
  {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
  {"name":"units","type":["null","long"]},
  {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":8,"scale":2}},
  {"name":"store","type":{"type":"record","name":"Store","fields":[{"name":"id","type":"int"}]}},
  {"name":"from","type":["null","Store"]}
]}"#;

const AVRO_ROW: &str = r#"{"at":"2024-01-31T00:00:00.5Z","day":"2024-01-31","from":{"id":8},"price":"-1.25","store":{"id":7},"units":3}"#;

fn avro() -> Vec<u8> {
    let schema = Schema::parse_str(AVSC).expect("a schema");
    let store = |id| Value::Record(vec![("id".into(), Value::Int(id))]);
    let value = Value::Record(vec![
        ("day".into(), Value::Date(19753)),
        ("at".into(), Value::TimestampMillis(1_706_659_200_500)),
        ("units".into(), Value::Union(1, Box::new(Value::Long(3)))),
        ("price".into(), Value::Decimal((-125_i8).to_be_bytes().into())),
        ("store".into(), store(7)),
        ("from".into(), Value::Union(1, Box::new(store(8)))),
    ]);
    GenericDatumWriter::builder(&schema).build().expect("a writer").write_value_to_vec(value).expect("a value")
}

#[test]
fn avro_is_read_in_each_framing() {
    let cluster = Cluster::new(1);
    std::fs::write(cluster.folder.path().join("sale.avsc"), AVSC).expect("writable");
    let body = avro();
    cluster.send(0, None, Some(&[&[0, 0, 0, 0, 42][..], &body].concat()));
    cluster.flush();
    let landed = cluster.land(r#"{"format":"avro","schema":"sale.avsc"}"#).expect("lands");
    assert_eq!(lines(&landed), [AVRO_ROW]);

    let schema = Schema::parse_str(AVSC).expect("a schema");
    let fingerprint = schema.fingerprint::<apache_avro::rabin::Rabin>().bytes;
    for (framing, bytes) in [("raw", body.clone()), ("single_object", [&[0xc3, 0x01][..], &fingerprint, &body].concat())] {
        let cluster = Cluster::new(1);
        std::fs::write(cluster.folder.path().join("sale.avsc"), AVSC).expect("writable");
        cluster.send(0, None, Some(&bytes));
        cluster.send(0, None, Some(&bytes[..bytes.len() - 1]));
        cluster.send(0, None, Some(&[&bytes[..], &[0]].concat()));
        cluster.flush();
        let landed = cluster.land(&format!(r#"{{"format":"avro","schema":"sale.avsc","framing":"{framing}"}}"#)).expect("lands");
        let lines = lines(&landed);
        assert_eq!(lines[0], AVRO_ROW, "{framing}");
        assert!(lines[1].contains("offset 1: it does not fit the schema"), "{lines:?}");
        assert!(lines[2].contains("1 bytes are left over"), "{lines:?}");
    }
}

const PROTO: &str = r#"syntax = "proto3";
package shop;
message Store { int32 id = 1; }
message Sale {
  string day = 1;
  int64 units = 2;
  double price = 3;
  Store store = 4;
  bool is_promo = 5;
}
"#;

/// A `shop.Sale`, byte by byte: day, units, price, store.
fn protobuf() -> Vec<u8> {
    let mut bytes = vec![0x0a, 10];
    bytes.extend(b"2024-01-31");
    bytes.extend([0x10, 0xac, 0x02, 0x19]);
    bytes.extend(1.5_f64.to_le_bytes());
    bytes.extend([0x22, 2, 0x08, 7]);
    bytes
}

const PROTO_ROW: &str = r#"{"day":"2024-01-31","is_promo":false,"price":1.5,"store":{"id":7},"units":300}"#;

#[test]
fn protobuf_is_read_by_the_name_of_its_message() {
    let cluster = Cluster::new(1);
    std::fs::write(cluster.folder.path().join("sale.proto"), PROTO).expect("writable");
    cluster.send(0, None, Some(&protobuf()));
    cluster.send(0, None, Some(b"\x0a\xff\xff"));
    cluster.flush();
    let landed = cluster.land(r#"{"format":"protobuf","schema":"sale.proto","message":"shop.Sale","framing":"raw"}"#).expect("lands");
    assert_eq!(lines(&landed)[0], PROTO_ROW);
    assert!(lines(&landed)[1].contains("offset 1: it does not fit the schema"));
    let cluster = Cluster::new(1);
    std::fs::write(cluster.folder.path().join("sale.proto"), PROTO).expect("writable");
    // As Confluent's serialiser writes the second message of a file.
    cluster.send(0, None, Some(&[&[0, 0, 0, 0, 1, 2, 2][..], &protobuf()].concat()));
    cluster.flush();
    let landed = cluster.land(r#"{"format":"protobuf","schema":"sale.proto","message":"shop.Sale"}"#).expect("lands");
    assert_eq!(lines(&landed), [PROTO_ROW]);
}

#[test]
fn a_schema_that_cannot_be_used_is_named() {
    let cluster = Cluster::new(1);
    let write = |name: &str, text: &str| std::fs::write(cluster.folder.path().join(name), text).expect("writable");
    write("sale.proto", PROTO);
    write("bad.proto", "message {");
    write("bad.avsc", r#"{"type":"recor"}"#);
    for (keys, expected) in [
        (r#"{"format":"protobuf","schema":"sale.proto"}"#, "`message` must say which: it has `shop.Store`, `shop.Sale`"),
        (
            r#"{"format":"protobuf","schema":"sale.proto","message":"shop.Sal"}"#,
            "it has no message `shop.Sal`, but `shop.Store`, `shop.Sale`",
        ),
        (r#"{"format":"protobuf","schema":"bad.proto"}"#, "bad.proto"),
        (r#"{"format":"protobuf","schema":"none.proto"}"#, "none.proto"),
        (r#"{"format":"avro","schema":"bad.avsc"}"#, "bad.avsc"),
        (r#"{"format":"avro","schema":"none.avsc"}"#, "none.avsc"),
    ] {
        let error = cluster.land(keys).expect_err("unusable");
        assert!(matches!(error, ConnectError::Schema { .. }), "{error:?}");
        assert!(said(&error).contains(expected), "{}", said(&error));
    }
}
