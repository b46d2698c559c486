//! Webhooks, which are kept and never called.
//!
//! Not here: whether an address is public, which needs a network (`almanac-server`).

use crate::db::{Row, Session, args};
use crate::names::too_long;
use crate::store::TrackingStore;
use crate::store::page::{offset, page};
use crate::{Millis, NewWebhook, Page, StoreError, Webhook, WebhookEvent, WebhookStatus, WebhookUpdate};

const COLUMNS: &str = "webhook_id, name, description, url, status, events, creation_time, last_updated_time";
/// Longest address, in bytes.
const URL: usize = 2_048;

impl TrackingStore {
    /// Makes a webhook.
    pub fn create_webhook(&self, new: &NewWebhook, now: Millis) -> Result<Webhook, StoreError> {
        check(Some(&new.name), Some(&new.url), Some(&new.events))?;
        let id = new_id();
        self.db.write(|session| {
            let sql = format!("INSERT INTO webhooks ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)");
            let events = written(&new.events);
            session.execute(&sql, args![&id, &new.name, &new.description, &new.url, new.status.as_str(), &events, now.0])?;
            by_id(session, &id)
        })
    }

    /// Returns one webhook.
    pub fn get_webhook(&self, id: &str) -> Result<Webhook, StoreError> {
        self.db.read(|session| by_id(session, id))
    }

    /// Returns webhooks, newest first; 100 a page if `max_results` is 0.
    pub fn list_webhooks(&self, max_results: i64, page_token: Option<&str>) -> Result<Page<Webhook>, StoreError> {
        let max_results = if max_results == 0 { 100 } else { max_results };
        if !(1..=1_000).contains(&max_results) {
            return Err(StoreError::invalid("max_results must be between 1 and 1000."));
        }
        let from = offset(page_token)?;
        let sql = format!("SELECT {COLUMNS} FROM webhooks ORDER BY creation_time DESC, webhook_id LIMIT ?1 OFFSET ?2");
        self.db.read(|session| Ok(page(session.all(&sql, args![max_results + 1, from], webhook)?, from, max_results)))
    }

    /// Changes a webhook.
    pub fn update_webhook(&self, id: &str, update: &WebhookUpdate, now: Millis) -> Result<Webhook, StoreError> {
        check(update.name.as_deref(), update.url.as_deref(), update.events.as_deref())?;
        self.db.write(|session| {
            let old = by_id(session, id)?;
            let events = written(update.events.as_deref().unwrap_or(&old.events));
            let sql = "UPDATE webhooks SET name = ?1, description = ?2, url = ?3, status = ?4, events = ?5, last_updated_time = ?6
                       WHERE webhook_id = ?7";
            let values = args![
                update.name.as_ref().unwrap_or(&old.name),
                update.description.as_ref().unwrap_or(&old.description),
                update.url.as_ref().unwrap_or(&old.url),
                update.status.unwrap_or(old.status).as_str(),
                &events,
                now.0,
                id
            ];
            session.execute(sql, values)?;
            by_id(session, id)
        })
    }

    /// Deletes a webhook.
    pub fn delete_webhook(&self, id: &str) -> Result<(), StoreError> {
        self.db.write(|session| match session.execute("DELETE FROM webhooks WHERE webhook_id = ?1", args![id])? {
            0 => Err(no_webhook(id)),
            _ => Ok(()),
        })
    }
}

fn check(name: Option<&str>, url: Option<&str>, events: Option<&[WebhookEvent]>) -> Result<(), StoreError> {
    if let Some(name) = name.filter(|name| !is_name(name)) {
        return Err(StoreError::invalid(format!(
            "Webhook name '{name}' is invalid. It must start and end with a letter or digit, be less than 63 characters long, and \
             contain only letters, digits, dots (.), underscores (_), and hyphens (-)."
        )));
    }
    if url.is_some_and(|url| url.len() > URL) {
        return Err(too_long("url", URL));
    }
    if events.is_some_and(<[_]>::is_empty) {
        return Err(StoreError::invalid("Webhook events must be a non-empty list of WebhookEvent objects: []."));
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let ends_well = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    bytes.len() <= 63 && ends_well(bytes.first()) && ends_well(bytes.last()) && bytes.iter().all(is_allowed)
}

/// Makes a random UUID.
fn new_id() -> String {
    let mut bytes: [u8; 16] = rand::random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn written(events: &[WebhookEvent]) -> String {
    let events: Vec<String> = events.iter().map(|event| format!("{} {}", event.entity(), event.action())).collect();
    events.join(",")
}

fn by_id(session: &mut dyn Session, id: &str) -> Result<Webhook, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM webhooks WHERE webhook_id = ?1");
    session.first(&sql, args![id], webhook)?.ok_or_else(|| no_webhook(id))
}

fn webhook(row: &dyn Row) -> Result<Webhook, StoreError> {
    let events = row.text(5)?;
    Ok(Webhook {
        id: row.text(0)?,
        name: row.text(1)?,
        description: row.text(2)?,
        url: row.text(3)?,
        status: WebhookStatus::parse(&row.text(4)?).unwrap_or_default(),
        events: events
            .split(',')
            .filter_map(|event| WebhookEvent::parse(event.split_once(' ')?.0, event.split_once(' ')?.1).ok())
            .collect(),
        created: Millis(row.int(6)?),
        updated: Millis(row.int(7)?),
    })
}

fn no_webhook(id: &str) -> StoreError {
    StoreError::missing(format!("Webhook with ID {id} not found."))
}
