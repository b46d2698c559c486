//! Webhooks: addresses that want to hear of changes in the registry. They are kept, and never called.

use super::Millis;

/// Whether a webhook is to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(missing_docs, reason = "MLflow's words")]
pub enum WebhookStatus {
    #[default]
    Active,
    Disabled,
}

impl WebhookStatus {
    /// Returns MLflow's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Disabled => "DISABLED",
        }
    }

    /// Reads MLflow's word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Disabled].into_iter().find(|status| status.as_str() == word)
    }
}

/// What a webhook wants to hear of, in MLflow's words on the wire: `MODEL_VERSION`, `CREATED`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WebhookEvent {
    entity: &'static str,
    action: &'static str,
}

/// Entities in the order of MLflow's numbers, counting from 1, each with its actions.
const ENTITIES: [(&str, &[&str]); 10] = [
    ("REGISTERED_MODEL", &["CREATED"]),
    ("MODEL_VERSION", &["CREATED"]),
    ("MODEL_VERSION_TAG", &["DELETED", "SET"]),
    ("MODEL_VERSION_ALIAS", &["CREATED", "DELETED"]),
    ("PROMPT", &["CREATED"]),
    ("PROMPT_VERSION", &["CREATED"]),
    ("PROMPT_TAG", &["DELETED", "SET"]),
    ("PROMPT_VERSION_TAG", &["DELETED", "SET"]),
    ("PROMPT_ALIAS", &["CREATED", "DELETED"]),
    ("BUDGET_POLICY", &["EXCEEDED"]),
];
/// Actions in the order of MLflow's numbers, counting from 1.
const ACTIONS: [&str; 5] = ["CREATED", "UPDATED", "DELETED", "SET", "EXCEEDED"];

impl WebhookEvent {
    /// Reads MLflow's words or their numbers.
    ///
    /// # Errors
    /// What is wrong, in MLflow's words.
    pub fn parse(entity: &str, action: &str) -> Result<Self, String> {
        let place = |text: &str| text.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let found = ENTITIES.iter().enumerate().find(|(at, (word, _))| *word == entity || place(entity) == Some(*at));
        let Some((_, (entity, allowed))) = found else { return Err(format!("Invalid webhook entity '{entity}'.")) };
        let found = ACTIONS.iter().enumerate().find(|(at, word)| **word == action || place(action) == Some(*at));
        let Some((_, action)) = found else { return Err(format!("Invalid webhook action '{action}'.")) };
        if allowed.contains(action) {
            return Ok(Self { entity, action });
        }
        let allowed: Vec<String> = allowed.iter().map(|word| format!("'{}'", word.to_ascii_lowercase())).collect();
        Err(format!(
            "Invalid action '{}' for entity '{}'. Valid actions are: [{}]",
            action.to_ascii_lowercase(),
            entity.to_ascii_lowercase(),
            allowed.join(", ")
        ))
    }

    /// Returns what it is about.
    pub fn entity(self) -> &'static str {
        self.entity
    }

    /// Returns what happened to it.
    pub fn action(self) -> &'static str {
        self.action
    }
}

/// What is needed to make a webhook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `Webhook`")]
pub struct NewWebhook {
    pub name: String,
    pub url: String,
    pub description: String,
    pub status: WebhookStatus,
    pub events: Vec<WebhookEvent>,
}

/// What of a webhook is to change; `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `Webhook`")]
pub struct WebhookUpdate {
    pub name: Option<String>,
    pub url: Option<String>,
    pub description: Option<String>,
    pub status: Option<WebhookStatus>,
    pub events: Option<Vec<WebhookEvent>>,
}

/// An address that wants to hear of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// A UUID.
    pub id: String,
    /// For people; need not be unique.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// For people; may be empty.
    pub description: String,
    /// Whether it is to be called.
    pub status: WebhookStatus,
    /// What it wants to hear of; at least one.
    pub events: Vec<WebhookEvent>,
    /// When it was made.
    pub created: Millis,
    /// When it last changed.
    pub updated: Millis,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_words_or_numbers_that_go_together() {
        let event = WebhookEvent::parse("MODEL_VERSION_TAG", "SET").expect("MLflow knows it");
        assert_eq!(WebhookEvent::parse("3", "4"), Ok(event));
        assert_eq!((event.entity(), event.action()), ("MODEL_VERSION_TAG", "SET"));
        assert_eq!(
            WebhookEvent::parse("MODEL_VERSION_TAG", "CREATED"),
            Err("Invalid action 'created' for entity 'model_version_tag'. Valid actions are: ['deleted', 'set']".to_owned())
        );
        for (entity, action) in [("ENTITY_UNSPECIFIED", "SET"), ("0", "1"), ("", ""), ("PROMPT", "0"), ("11", "1")] {
            assert!(WebhookEvent::parse(entity, action).is_err(), "`{entity}` `{action}`");
        }
    }
}
