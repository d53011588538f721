//! Keys that are no API keys and have a question of their own: data in `key_probes.json`.

use std::sync::LazyLock;

use serde::Deserialize;
use types::oauth::ProbeSpec;
use types::provider::ProviderKind;

/// How such a key is asked after.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyProbe {
    /// What the key begins with.
    pub key_prefix: String,
    /// Kinds of provider where it may stand.
    pub provider_kinds: Vec<ProviderKind>,
    /// A path at the provider's own host.
    pub probe_url: String,
    /// The header that carries it.
    pub header: String,
    /// The word in front of it.
    pub word: String,
    /// How the answer is read.
    pub probe: ProbeSpec,
}

static PROBES: LazyLock<Vec<KeyProbe>> =
    LazyLock::new(|| serde_json::from_str(include_str!("key_probes.json")).unwrap_or_default());

/// How a key is asked after at a provider of that kind; `None` for API keys.
pub fn key_probe(kind: ProviderKind, key: &str) -> Option<&'static KeyProbe> {
    PROBES.iter().find(|probe| probe.provider_kinds.contains(&kind) && key.starts_with(&probe.key_prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hc_07_a_session_key_is_known_by_how_it_begins_and_an_api_key_is_none() {
        let probe = key_probe(ProviderKind::Anthropic, "sk-ant-sid01-abc").unwrap();
        assert_eq!((probe.header.as_str(), probe.word.as_str()), ("cookie", "sessionKey="));
        assert!(probe.probe_url.starts_with('/'), "it goes to the provider's own host and nowhere else");
        assert!(probe.probe.remedy.contains("session key expired"));
        assert!(key_probe(ProviderKind::Anthropic, "sk-ant-api03-abc").is_none());
        assert!(key_probe(ProviderKind::OpenAi, "sk-ant-sid01-abc").is_none());
    }
}
