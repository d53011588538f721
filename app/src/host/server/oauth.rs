//! What forms about vendors and sign-ins mean.

use types::oauth::{BeginFlow, PutVendor};
use types::{CredentialId, Patch, Problem, ProviderId, Secret};

use super::{header, parts};
use crate::error::AppError;
use crate::form::SecretText;

/// A vendor's client and descriptor; an empty secret keeps the stored one.
pub(crate) fn read_vendor(
    client_id: String,
    client_secret: SecretText,
    spec: &str,
    version: i64,
) -> Result<PutVendor, AppError> {
    let spec = match spec.trim() {
        "" => None,
        text => Some(serde_json::from_str(text).map_err(|error| Problem::field("spec", error.to_string()))?),
    };
    let secret = Some(client_secret.0).filter(|secret| !secret.is_empty());
    let client_secret = secret.map_or(Patch::Keep, |secret| Patch::Set(Secret::new(secret)));
    Ok(PutVendor { spec, client_id: Some(client_id), client_secret, version: Some(version) })
}

/// A sign-in to begin, with the origin that the browser shows.
pub(crate) fn new_flow(
    vendor: String,
    provider_id: Option<ProviderId>,
    credential_id: Option<CredentialId>,
    way: String,
) -> BeginFlow {
    let origin = parts().and_then(|parts| header(&parts, "origin").map(str::to_owned));
    let way = Some(way).filter(|way| !way.is_empty());
    BeginFlow { vendor, provider_id, credential_id, name: None, way, origin }
}
