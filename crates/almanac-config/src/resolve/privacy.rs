//! `[privacy]`: personal columns, where the key is, and that no other section needs what is hidden.
//!
//! Not here: whether the columns and the key exist (`almanac-data`, `almanac-privacy`).

use std::collections::BTreeMap;

use super::Resolver;
use crate::settings::{DataSettings, KeyPlace, PersonalPolicy, PrivacySettings};
use crate::{ConfigError, Problem, ProjectFile};

/// What is said of a column; as where rows are read, its case does not let it slip by.
fn said(personal: &BTreeMap<String, PersonalPolicy>, column: &str) -> Option<PersonalPolicy> {
    let lower = column.to_lowercase();
    personal.get(column).or_else(|| personal.iter().find(|(name, _)| name.to_lowercase() == lower).map(|(_, policy)| policy)).copied()
}

impl Resolver<'_> {
    pub(super) fn privacy(&self, file: &ProjectFile, data: &DataSettings) -> PrivacySettings {
        let privacy = &file.privacy;
        let policies = [("hash", PersonalPolicy::Hash), ("mask", PersonalPolicy::Mask), ("drop", PersonalPolicy::Drop)];
        let mut personal = BTreeMap::new();
        for (name, policy) in &privacy.personal {
            let key = format!("privacy.personal.{name}");
            if name.trim().is_empty() {
                self.note(self.invalid(&key, Problem::Empty));
            }
            personal.insert(name.clone(), self.word(&key, Some(policy), None, &policies));
        }
        let key = self.keep(self.key_place(file), None);
        let hashes = personal.values().any(|policy| *policy == PersonalPolicy::Hash);
        if hashes && key.is_none() && !self.is_wrong(&["privacy.key", "privacy.key_file"]) {
            let example = "key_file = \"privacy.key\"`, made by `almanac privacy key new";
            self.note(self.invalid("privacy.personal", Problem::Needs { other: "privacy.key_file", example }));
        }
        self.no_hidden_role(&personal, data);
        let subject = self.keep(self.columns("privacy.subject", privacy.subject.as_ref()), Vec::new());
        PrivacySettings { personal, key, subject }
    }

    fn key_place(&self, file: &ProjectFile) -> Result<Option<KeyPlace>, ConfigError> {
        let filled = |key: &str, text: &Option<String>| match text.as_deref().map(str::trim) {
            Some("") => Err(self.invalid(key, Problem::Empty)),
            other => Ok(other.map(str::to_owned)),
        };
        let key_file = filled("privacy.key_file", &file.privacy.key_file)?;
        let Some(key) = filled("privacy.key", &file.privacy.key)? else { return Ok(key_file.map(KeyPlace::File)) };
        if key_file.is_some() {
            return Err(self.invalid("privacy.key", Problem::Exclusive { other: "privacy.key_file" }));
        }
        let inner = |prefix: &str| key.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('}')).filter(|name| !name.is_empty());
        if let Some(name) = inner("${env:") {
            return Ok(Some(KeyPlace::Environment(name.to_owned())));
        }
        if let Some(path) = inner("${file:") {
            return Ok(Some(KeyPlace::File(path.to_owned())));
        }
        // Not quoted: it may be the secret.
        Err(self.invalid("privacy.key", Problem::LiteralSecret))
    }

    /// What tells series apart must be told apart; what is forecast must be read.
    fn no_hidden_role(&self, personal: &BTreeMap<String, PersonalPolicy>, data: &DataSettings) {
        let policy_of = |column: &str| {
            let in_table = || match &data.tables[..] {
                [only] if data.sql.is_none() => said(personal, &format!("{}.{column}", only.name)),
                _ => None,
            };
            said(personal, column).or_else(in_table)
        };
        for (role, column) in [("data.time", &data.time), ("data.target", &data.target)] {
            if policy_of(column).is_some() {
                self.note(self.invalid(role, Problem::Personal { column: column.clone(), is_target: true }));
            }
        }
        self.no_hidden_watermark(personal, data);
        let lists = [
            ("data.id", &data.id),
            ("data.static", &data.static_columns),
            ("data.historic", &data.historic),
            ("data.future", &data.future),
        ];
        let single = [("data.in_stock", &data.in_stock), ("data.price", &data.price)];
        let of_lists = lists.into_iter().flat_map(|(role, columns)| columns.iter().map(move |column| (role, column)));
        let of_single = single.into_iter().filter_map(|(role, column)| column.as_ref().map(|column| (role, column)));
        for (role, column) in of_lists.chain(of_single) {
            if policy_of(column).is_some_and(|policy| policy != PersonalPolicy::Hash) {
                self.note(self.invalid(role, Problem::Personal { column: column.clone(), is_target: false }));
            }
        }
    }

    /// A load goes on from the greatest watermark, which is kept as it is; a key tells rows apart, which only its hash still does.
    fn no_hidden_watermark(&self, personal: &BTreeMap<String, PersonalPolicy>, data: &DataSettings) {
        for table in data.tables.iter().chain(&data.future_source) {
            let Some(source) = &table.outside else { continue };
            let policy = |column: &str| said(personal, &format!("{}.{column}", table.name)).or_else(|| said(personal, column));
            let role =
                if data.tables.len() > 1 || data.sql.is_some() { format!("data.tables.{}", table.name) } else { "data.source".to_owned() };
            if let Some(column) = source.watermark().filter(|column| policy(column).is_some()) {
                self.note(self.invalid(&role, Problem::PersonalWatermark { column: column.to_owned() }));
            }
            for column in source.key().iter().filter(|column| policy(column).is_some_and(|policy| policy != PersonalPolicy::Hash)) {
                self.note(self.invalid(&role, Problem::Personal { column: column.clone(), is_target: false }));
            }
        }
    }
}
