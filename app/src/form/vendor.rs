//! The form of a vendor that accounts are connected with.

use serde::{Deserialize, Serialize};
use types::oauth::{VendorSpec, VendorView};

use super::SecretText;

/// The form of a vendor, new or known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct VendorForm {
    /// Of a new one.
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretText,
    /// The descriptor as JSON.
    pub(crate) spec: String,
    pub(crate) version: String,
}

impl VendorForm {
    /// What a known vendor's form shows.
    pub(crate) fn of(view: &VendorView) -> Self {
        Self {
            client_id: view.client_id.clone(),
            spec: shown(&view.spec),
            version: view.version.to_string(),
            ..Self::default()
        }
    }

    /// What the form of a new one shows: another vendor's descriptor, to be changed.
    pub(crate) fn like(view: &VendorView) -> Self {
        Self { spec: shown(&view.spec), ..Self::default() }
    }
}

fn shown(spec: &VendorSpec) -> String {
    serde_json::to_string_pretty(spec).unwrap_or_default()
}
