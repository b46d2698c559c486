//! Webhooks: kept, listed and changed, never called. Their secrets are read and not kept, since nothing is signed.
//!
//! Addresses are checked as MLflow does all the same, so that none is kept that must not be called later.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use almanac_api::mlflow as wire;
use almanac_tracking::{ErrorCode, NewWebhook, Webhook, WebhookEvent, WebhookStatus, WebhookUpdate};
use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::routing::{get, post};
use serde_json::Value;

use super::super::request::{Request, missing};
use super::super::{Answer, MlflowError, Tracking, now};

/// How long finding the addresses of a host may take.
const RESOLUTION: Duration = Duration::from_secs(5);

pub(super) fn routes() -> Router<Tracking> {
    Router::new()
        .route("/webhooks", get(list).post(create))
        .route("/webhooks/{webhook_id}", get(get_one).patch(update).delete(delete))
        .route("/webhooks/{webhook_id}/test", post(test))
}

async fn create(State(tracking): State<Tracking>, request: Request) -> Answer<wire::WebhookFound> {
    let name = request.required("name")?;
    let url = request.required("url")?;
    if !request.has("events") {
        return Err(missing("events"));
    }
    let new = NewWebhook {
        name,
        url,
        description: request.text("description")?.unwrap_or_default(),
        status: status(&request)?.unwrap_or_default(),
        events: events(&request)?,
    };
    check_address(&new.url).await?;
    let made = tracking.call(move |store| store.create_webhook(&new, now())).await?;
    Ok(Json(wire::WebhookFound { webhook: wire_webhook(made) }))
}

async fn get_one(State(tracking): State<Tracking>, Path(id): Path<String>) -> Answer<wire::WebhookFound> {
    let found = tracking.call(move |store| store.get_webhook(&id)).await?;
    Ok(Json(wire::WebhookFound { webhook: wire_webhook(found) }))
}

async fn list(State(tracking): State<Tracking>, request: Request) -> Answer<wire::WebhooksFound> {
    let max_results = request.int("max_results")?.unwrap_or(0);
    let token = request.text("page_token")?;
    let page = tracking.call(move |store| store.list_webhooks(max_results, token.as_deref())).await?;
    Ok(Json(wire::WebhooksFound { webhooks: page.items.into_iter().map(wire_webhook).collect(), next_page_token: page.next }))
}

async fn update(State(tracking): State<Tracking>, Path(id): Path<String>, request: Request) -> Answer<wire::WebhookFound> {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let update = WebhookUpdate {
        name: filled(request.text("name")?),
        url: filled(request.text("url")?),
        description: request.text("description")?,
        status: status(&request)?,
        events: Some(events(&request)?).filter(|events| !events.is_empty()),
    };
    if let Some(url) = &update.url {
        check_address(url).await?;
    }
    let updated = tracking.call(move |store| store.update_webhook(&id, &update, now())).await?;
    Ok(Json(wire::WebhookFound { webhook: wire_webhook(updated) }))
}

async fn delete(State(tracking): State<Tracking>, Path(id): Path<String>) -> Answer<wire::Empty> {
    tracking.call(move |store| store.delete_webhook(&id)).await?;
    Ok(Json(wire::Empty {}))
}

async fn test(State(tracking): State<Tracking>, Path(id): Path<String>) -> Answer<wire::Empty> {
    let webhook = tracking.call(move |store| store.get_webhook(&id)).await?;
    let message = format!("Webhook '{}' was not tested: this server keeps webhooks and does not call them.", webhook.name);
    Err(MlflowError::new(ErrorCode::NotImplemented, message))
}

fn wire_webhook(webhook: Webhook) -> wire::Webhook {
    let event = |event: WebhookEvent| wire::WebhookEvent { entity: event.entity(), action: event.action() };
    wire::Webhook {
        webhook_id: webhook.id,
        name: webhook.name,
        description: webhook.description,
        url: webhook.url,
        events: webhook.events.into_iter().map(event).collect(),
        status: webhook.status.as_str(),
        creation_timestamp: webhook.created.0,
        last_updated_timestamp: webhook.updated.0,
    }
}

/// Reads a word that may come as its number.
fn word(request: &Request, name: &str) -> String {
    match request.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn status(request: &Request) -> Result<Option<WebhookStatus>, MlflowError> {
    let word = word(request, "status");
    match word.as_str() {
        "" => Ok(None),
        "1" => Ok(Some(WebhookStatus::Active)),
        "2" => Ok(Some(WebhookStatus::Disabled)),
        given => match WebhookStatus::parse(given) {
            Some(status) => Ok(Some(status)),
            None => Err(MlflowError::invalid(format!("Invalid webhook status '{given}'. Value must be one of ACTIVE, DISABLED."))),
        },
    }
}

fn events(request: &Request) -> Result<Vec<WebhookEvent>, MlflowError> {
    let event = |event: Request| WebhookEvent::parse(&word(&event, "entity"), &word(&event, "action")).map_err(MlflowError::invalid);
    request.messages("events")?.into_iter().map(event).collect()
}

/// Refuses addresses that are not `https` or lead to a machine that is not public.
async fn check_address(url: &str) -> Result<(), MlflowError> {
    if url.trim().is_empty() {
        return Err(MlflowError::invalid(format!("Webhook URL cannot be empty or just whitespace: '{url}'")));
    }
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    if scheme != "https" {
        return Err(MlflowError::invalid(format!("Invalid webhook URL scheme: '{scheme}'. Allowed schemes are: https.")));
    }
    let uri: Uri = url.parse().map_err(|error| MlflowError::invalid(format!("Invalid webhook URL '{url}': {error}")))?;
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err(MlflowError::invalid(format!("Webhook URL must include a hostname: '{url}'")));
    }
    let unknown = |cause: &dyn std::fmt::Display| MlflowError::invalid(format!("Cannot resolve Webhook URL hostname '{host}': {cause}"));
    let found = tokio::time::timeout(RESOLUTION, tokio::net::lookup_host((host, 443))).await;
    let addresses = found
        .map_err(|_| {
            MlflowError::invalid(format!("Timed out resolving Webhook URL hostname '{host}' after {} seconds", RESOLUTION.as_secs()))
        })?
        .map_err(|error| unknown(&error))?;
    for address in addresses {
        if !is_public(address.ip()) {
            return Err(MlflowError::invalid(format!(
                "Webhook URL must not resolve to a non-public IP address. '{host}' resolves to {}.",
                address.ip()
            )));
        }
    }
    Ok(())
}

/// Returns whether an address is one of the public internet, after the IANA registries of special addresses.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => embedded_v4(address).map_or_else(|| is_public_v6(address), is_public_v4),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_benchmark = a == 198 && (b == 18 || b == 19);
    let is_reserved = a == 0 || a >= 224 || (a == 192 && b == 0 && c == 0);
    let is_special = address.is_private() || address.is_loopback() || address.is_link_local() || address.is_documentation();
    !(is_shared || is_benchmark || is_reserved || is_special)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Global unicast addresses all lie here; within, protocols (Teredo among them) and documentation have blocks of their own.
    let is_global = segments[0] & 0xe000 == 0x2000;
    let is_protocol = segments[0] == 0x2001 && segments[1] < 0x0200;
    let is_documentation = (segments[0] == 0x2001 && segments[1] == 0x0db8) || (segments[0] == 0x3fff && segments[1] < 0x1000);
    is_global && !is_protocol && !is_documentation
}

/// Returns the address of the old kind that one of the new kind stands for: mapped, 6to4 or NAT64.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match segments {
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_house_are_not_public() {
        for address in ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert!(is_public(address.parse().expect("an address")), "{address}");
        }
        for address in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "192.0.0.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "::ffff:10.0.0.1",
            "::10.0.0.1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
        ] {
            assert!(!is_public(address.parse().expect("an address")), "{address}");
        }
    }
}
