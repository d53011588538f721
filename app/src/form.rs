//! What forms post: text fields.
//!
//! Browsers send strings and leave out unchecked boxes, so every field is text with an empty default. Turning
//! them into the inputs of `types` is the server's work and stands in `host/server/input`.

pub(crate) mod alias;
pub(crate) mod error_rule;
pub(crate) mod group;
pub(crate) mod increase;
pub(crate) mod invoice;
pub(crate) mod key;
pub(crate) mod limits;
pub(crate) mod package;
pub(crate) mod playground;
pub(crate) mod price;
pub(crate) mod provider;
pub(crate) mod transfer;
pub(crate) mod user;
pub(crate) mod vendor;

use serde::{Deserialize, Serialize};
use types::Timestamp;

/// A secret on its way from a form to the server; its `Debug` shows nothing.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SecretText(pub(crate) String);

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Whether a box was checked.
pub(crate) fn checked(text: &str) -> bool {
    matches!(text, "on" | "true" | "1")
}

/// An instant as `<input type="datetime-local">` wants it.
pub(crate) fn local_input(at: Option<Timestamp>) -> String {
    at.map(|at| at.display_utc().replace(' ', "T").chars().take(16).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_end_fits_the_browsers_field() {
        assert_eq!(local_input("2026-11-21T08:30:15Z".parse().ok()), "2026-11-21T08:30");
    }
}
