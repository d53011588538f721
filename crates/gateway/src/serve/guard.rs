//! What a request must satisfy before it is booked, in order: where it comes from, what it says, what it asks for.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::{CONTENT_TYPE, USER_AGENT};
use protocol::probe::Probe;
use types::api_key::client_allowed;
use types::dialect::Endpoint;

use super::Ingress;
use crate::error::Refusal;
use crate::snapshot::ApiKey;

/// The key's networks and clients.
pub(super) fn origin(key: &ApiKey, ip: IpAddr, headers: &HeaderMap) -> Result<(), Refusal> {
    let networks = &key.spec.ip_allow;
    if !networks.is_empty() && !networks.iter().any(|network| network.contains(&ip.to_canonical())) {
        return Err(Refusal::ip_blocked(ip));
    }
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !client_allowed(&key.spec.clients, agent) {
        return Err(Refusal::client_not_allowed(agent));
    }
    Ok(())
}

/// The body's form.
pub(super) fn body(ingress: &Ingress) -> Result<Probe, Refusal> {
    let content_type = ingress.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    protocol::probe::probe(ingress.endpoint, content_type, &ingress.body).map_err(|error| {
        let refusal = Refusal::bad_request(error.to_string());
        match error.field() {
            Some(field) => refusal.with("field", field),
            None => refusal,
        }
    })
}

/// The model: named where the endpoint needs one, and on the key's list.
pub(super) fn model(key: &ApiKey, ingress: &Ingress, probe: &Probe) -> Result<(), Refusal> {
    let model = ingress.path_model.as_deref().or(probe.model.as_ref().map(|model| model.name.as_str()));
    match model {
        Some(model) if key.may_use_model(model) => Ok(()),
        Some(model) => Err(Refusal::model_not_allowed(model)),
        // These have a default model of the vendor's.
        None if matches!(
            ingress.endpoint,
            Endpoint::Moderations
                | Endpoint::ImageGenerations
                | Endpoint::ImageEdits
                | Endpoint::ImageVariations
        ) && key.spec.models.is_empty() =>
        {
            Ok(())
        }
        None => Err(Refusal::model_required()),
    }
}
