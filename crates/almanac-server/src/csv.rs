//! Forecast rows as CSV: header `unique_id,ds,cutoff,model,mean,q…`, numbers written as in the JSON answers.

use almanac_api::ForecastRow;

/// Appends the header for a project that forecasts these quantile columns.
pub(crate) fn write_header(columns: &[String], out: &mut Vec<u8>) {
    out.extend_from_slice(b"unique_id,ds,cutoff,model,mean");
    for column in columns {
        out.push(b',');
        out.extend_from_slice(column.as_bytes());
    }
    out.extend_from_slice(b"\n");
}

/// Appends one row, with an empty field where it lacks a column of the header.
pub(crate) fn write_row(columns: &[String], row: &ForecastRow, out: &mut Vec<u8>) {
    for text in [&row.unique_id, &row.ds, &row.cutoff, &row.model] {
        write_text(text, out);
        out.push(b',');
    }
    write_number(row.mean, out);
    for column in columns {
        out.push(b',');
        write_number(row.quantiles.get(column).copied().unwrap_or(f64::NAN), out);
    }
    out.push(b'\n');
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    if text.contains([',', '"', '\n', '\r']) {
        out.push(b'"');
        out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

fn write_number(number: f64, out: &mut Vec<u8>) {
    if number.is_finite() {
        serde_json::to_writer(out, &number).expect("a finite number into memory");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_key_with_commas_and_quotes_is_quoted() {
        let row = ForecastRow {
            unique_id: "a,\"b\"".into(),
            ds: "2024-02-01".into(),
            cutoff: "2024-01-31".into(),
            model: "naive".into(),
            mean: 3.0,
            quantiles: BTreeMap::from([("q0.9".to_owned(), 0.1 + 0.2), ("q0.1".to_owned(), 1e-7)]),
        };
        let mut out = Vec::new();
        let columns: Vec<String> = row.quantiles.keys().cloned().collect();
        write_header(&columns, &mut out);
        write_row(&columns, &row, &mut out);
        expect_test::expect![[r#"
            unique_id,ds,cutoff,model,mean,q0.1,q0.9
            "a,""b""",2024-02-01,2024-01-31,naive,3.0,1e-7,0.30000000000000004
        "#]]
        .assert_eq(&String::from_utf8(out).expect("text"));
    }
}
