//! What is asked about a credential: what its vendor's descriptor says, a question for its kind of key, or the list of
//! models.

use std::collections::BTreeMap;

use serde_json::Value;
use types::oauth::{ProbeSpec, VendorSpec};
use types::setting::Settings;

use crate::authenticate::Auth;
use crate::snapshot::{Credential, Provider};
use crate::upstream::Question;

/// What is asked where nobody says anything else.
const MODELS: &str = "models";

/// What to ask about one credential.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked<'a> {
    /// The list of models, judged as usual.
    Models,
    /// What a descriptor says.
    Own { url: &'a str, probe: &'a ProbeSpec, carrier: Option<(&'a str, &'a str)> },
    /// Nothing: a setting says so.
    Not { probe: &'a ProbeSpec, why: &'static str },
}

const SWITCHED_OFF: &str =
    "session keys are asked after only where the setting account_session_key_probe is switched on";

/// What to ask about a credential of a provider.
pub(super) fn of<'a>(
    credential: &'a Credential,
    provider: Option<&Provider>,
    vendors: &'a BTreeMap<String, VendorSpec>,
    settings: &Settings,
) -> Asked<'a> {
    if let (Auth::Key(key), Some(provider)) = (&credential.auth, provider) {
        let spec = &provider.spec;
        let Some(known) = oauth::key_probe(spec.kind, spec.base_url.as_str(), key.expose()) else {
            return Asked::Models;
        };
        let probe = &known.probe;
        return if settings.account_session_key_probe || !known.session {
            Asked::Own { url: &known.probe_url, probe, carrier: Some((&known.header, &known.word)) }
        } else {
            Asked::Not { probe, why: SWITCHED_OFF }
        };
    }
    let vendor = credential.vendor.as_deref().and_then(|name| vendors.get(name));
    match vendor.and_then(|spec| Some((spec, spec.probe.as_ref()?))) {
        Some((spec, probe)) => Asked::Own { url: &spec.probe_url, probe, carrier: None },
        None => Asked::Models,
    }
}

impl<'a> Asked<'a> {
    /// Its name in histories.
    pub(super) fn name(self) -> &'a str {
        self.probe().map_or(MODELS, |probe| &probe.name)
    }

    /// How the answer is read.
    pub(super) fn probe(self) -> Option<&'a ProbeSpec> {
        match self {
            Self::Models => None,
            Self::Own { probe, .. } | Self::Not { probe, .. } => Some(probe),
        }
    }

    /// What goes on the wire; `None` for the list of models.
    pub(super) fn question(self) -> Option<Question<'a>> {
        let Self::Own { url, probe, carrier } = self else { return None };
        let wants_body = !probe.needs.is_empty() || !probe.windows.is_empty() || probe.balance.is_some();
        Some(Question { url, headers: &probe.headers, carrier, wants_body })
    }
}

/// Whether the answer holds what it has to; `default` stands for nothing.
pub(super) fn holds(needs: &str, body: Option<&Value>) -> bool {
    let held = match needs {
        "" => return true,
        "." => body,
        member => body.and_then(|body| body.get(member)),
    };
    match held {
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(fields)) => fields.keys().any(|name| name != "default"),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Bool(flag)) => *flag,
        Some(Value::Number(_)) => true,
        Some(Value::Null) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hc_08_an_account_named_default_is_none() {
        for (body, expected) in [
            (json!({"accounts": {"default": {}, "a-1": {}}}), true),
            (json!({"accounts": {"default": {}}}), false),
            (json!({"accounts": {}}), false),
            (json!({"accounts": [{}]}), true),
            (json!({"accounts": null}), false),
            (json!({}), false),
        ] {
            assert_eq!(holds("accounts", Some(&body)), expected, "{body}");
        }
        assert!(holds(".", Some(&json!([{}]))) && !holds(".", Some(&json!([]))) && holds("", None));
    }
}
