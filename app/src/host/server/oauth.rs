//! What forms about vendors and sign-ins mean.

use serde::Deserialize as _;
use types::credential::{CredentialState, CredentialView};
use types::oauth::{BeginFlow, PutVendor, VendorSpec};
use types::{CredentialId, Patch, Problem, ProviderId};

use super::{header, parts};
use crate::form::vendor::VendorForm;

/// A vendor's client and descriptor; an empty secret keeps the stored one.
pub(crate) fn read_vendor(form: &VendorForm) -> Result<PutVendor, Problem> {
    let spec = match form.spec.trim() {
        "" => None,
        text => Some(read_descriptor(text)?),
    };
    let client_secret = form.client_secret.take_verbatim().map_or(Patch::Keep, Patch::Set);
    // What is no number was not written by the form.
    let version = form.version.parse().unwrap_or(0);
    Ok(PutVendor { spec, client_id: Some(form.client_id.clone()), client_secret, version: Some(version) })
}

/// The descriptor; of one that is wrong, the place or the field.
fn read_descriptor(text: &str) -> Result<VendorSpec, Problem> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        Problem::field("spec", format!("is no JSON: line {}, column {}", error.line(), error.column()))
    })?;
    VendorSpec::deserialize(value).map_err(|error| {
        let why = error.to_string();
        let unknown = why.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'));
        match unknown {
            Some((name, _)) => Problem::field(name, "unknown field"),
            None => Problem::field("spec", why),
        }
    })
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

/// Says so if an account that was asked for again is still lost.
pub(crate) fn not_lost(credential: &CredentialView) -> Result<(), Problem> {
    if credential.state != CredentialState::NeedsReauth {
        return Ok(());
    }
    let why = credential.state_reason.clone().unwrap_or_default();
    Err(Problem::new("oauth_refused", format!("{}: {why}", credential.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_that_is_wrong_names_its_place_or_its_field() {
        let notes = |text: &str| read_descriptor(text).unwrap_err().fields;
        assert_eq!(notes("{\n\"label\": ,").get("spec").unwrap(), "is no JSON: line 2, column 10");
        assert_eq!(notes(r#"{"grantz": 1}"#).get("grantz").unwrap(), "unknown field");
        assert!(notes(r#"{"pkce": "yes"}"#).get("spec").unwrap().contains("boolean"));
        assert!(read_descriptor("{}").is_ok());
    }
}
