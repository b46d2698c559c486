//! What `init` found out and why, as a table or as JSON.

use almanac_config::InitAnswers;
use serde::Serialize;

use crate::printer::table;

/// One answer and its reason.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct Found {
    key: &'static str,
    value: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    why: String,
}

/// Lists the answers that are not left at their defaults, in the order of the file.
pub(super) fn findings(answers: &InitAnswers) -> Vec<Found> {
    let tables = answers.tables.iter().map(|table| format!("{} ({})", table.name, table.patterns.join(", "))).collect::<Vec<_>>();
    let list = |items: &[String]| items.join(", ");
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let sql = answers.sql.as_ref().map_or_else(String::new, |sql| format!("{} lines", sql.lines().count()));
    let rows = [
        ("tables", list(&tables)),
        ("sql", sql),
        ("id", if answers.id.is_empty() { "(a single series)".to_owned() } else { list(&answers.id) }),
        ("time", answers.time.clone()),
        ("target", answers.target.clone()),
        ("freq", text(&answers.freq)),
        ("timezone", text(&answers.timezone)),
        ("hierarchy", list(&answers.hierarchy)),
        ("static", list(&answers.static_columns)),
        ("historic", list(&answers.historic)),
        ("future", list(&answers.future)),
        ("in_stock", text(&answers.in_stock)),
        ("price", text(&answers.price)),
        ("gaps", text(&answers.gaps)),
        ("duplicates", text(&answers.duplicates)),
        ("negatives", text(&answers.negatives)),
        ("country", text(&answers.country)),
        ("horizon", answers.horizon.map_or_else(String::new, |steps| steps.to_string())),
        ("folds", answers.folds.map_or_else(String::new, |folds| folds.to_string())),
    ];
    let why = |key: &str| {
        let section = if matches!(key, "horizon" | "folds") { "forecast" } else { "data" };
        answers.why(&format!("{section}.{key}")).join("; ").replace('\n', "; ")
    };
    let given = rows.into_iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| Found { key, why: why(key), value });
    let personal = answers.personal.iter().map(|name| Found {
        key: "personal",
        value: format!("{name} (dropped)"),
        why: answers.why(&format!("privacy.personal.{name}")).join("; "),
    });
    let unused = answers.why_unused().into_iter().map(|why| Found { key: "unused", value: String::new(), why });
    given.chain(personal).chain(unused).collect()
}

/// Lays the answers out for people.
pub(super) fn table_of(answers: &InitAnswers) -> String {
    table(["key", "value", "because"], &[], findings(answers).into_iter().map(|found| [found.key.to_owned(), found.value, found.why]))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use almanac_config::InitReason;

    use super::*;

    #[test]
    fn answers_stand_beside_their_reasons() {
        let answers = InitAnswers {
            id: vec!["store".to_owned(), "item".to_owned()],
            time: "date".to_owned(),
            target: "units".to_owned(),
            freq: Some("D".to_owned()),
            reasons: vec![InitReason { key: "data.freq".into(), value: "D".into(), why: "all steps are of one day".into() }],
            ..InitAnswers::default()
        };
        expect![[r"
            key     value        because
            id      store, item
            time    date
            target  units
            freq    D            all steps are of one day
        "]]
        .assert_eq(&table_of(&answers));
    }
}
