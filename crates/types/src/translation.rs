//! Translation between dialects as it is configured and recorded. Its work is in `protocol`.

use serde::{Deserialize, Serialize};

use crate::dialect::{Dialect, Endpoint, named};

named! {
    /// Whether a caller's requests may be answered by models that speak another dialect.
    TranslationMode {
        /// Yes; what could not be carried over is listed.
        Allow = "allow",
        /// Yes, unless something would be lost that may change the answer: then the request is refused.
        Strict = "strict",
        /// No.
        Off = "off",
    }
}

#[expect(clippy::derivable_impls, reason = "the macro that makes the enum marks no default")]
impl Default for TranslationMode {
    fn default() -> Self {
        Self::Allow
    }
}

/// Something of a request that the model's dialect could not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LossNote {
    /// Path of the field in the caller's spelling.
    pub field: String,
    /// What became of it, as half a sentence.
    pub what: String,
    /// Whether it may change the answer; strict callers are refused for it.
    pub meaning: bool,
}

/// The translation of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TranslationNote {
    /// What the upstream was spoken to in.
    pub dialect: Dialect,
    /// What was lost on the way there, at most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<LossNote>,
    /// How many more losses there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

/// How tokens were counted without asking a vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CountNote {
    /// The number.
    pub tokens: u64,
    /// What the texts were cut with: `o200k_base`, `cl100k_base`.
    pub vocabulary: String,
    /// The model that they were counted for, as its provider names it.
    pub model: String,
    /// Nine in ten such counts are so near, in percent; null where nobody can say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_percent: Option<u8>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How a provider can answer an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// In the caller's own dialect: bytes pass as they come.
    Natively,
    /// Translated to that dialect.
    Translated(Dialect),
    /// By Tollgate itself, for a vendor that is spoken to in that dialect: it counts no tokens.
    Counted(Dialect),
}

impl Served {
    /// How an upstream that speaks `spoken` (best first) can answer an endpoint; `None` if it cannot.
    pub fn of(endpoint: Endpoint, spoken: &[Dialect]) -> Option<Self> {
        use Endpoint as E;
        let own = endpoint.dialect();
        if spoken.contains(&own) {
            return Some(Self::Natively);
        }
        let first = |wanted: &[Dialect]| {
            spoken.iter().copied().find(|dialect| wanted.contains(dialect)).map(Self::Translated)
        };
        match endpoint {
            // Where no vendor compacts, the model is asked for a summary.
            E::Messages
            | E::ChatCompletions
            | E::Responses
            | E::ResponsesCompact
            | E::GeminiGenerate
            | E::GeminiStream => first(Dialect::ALL),
            // Counting goes to vendors that count themselves, as far as they do.
            E::CountTokens => {
                first(&[Dialect::Gemini]).or_else(|| spoken.first().copied().map(Self::Counted))
            }
            E::GeminiCountTokens => {
                first(&[Dialect::Anthropic]).or_else(|| spoken.first().copied().map(Self::Counted))
            }
            E::Embeddings => first(&[Dialect::Gemini]),
            E::GeminiEmbed | E::GeminiBatchEmbed => first(&[Dialect::OpenAiChat]),
            E::Completions
            | E::ImageGenerations
            | E::ImageEdits
            | E::ImageVariations
            | E::AudioSpeech
            | E::AudioTranscriptions
            | E::AudioTranslations
            | E::Moderations
            | E::Rerank => None,
        }
    }
}

/// The endpoint of a dialect that answers what `asked` asks for.
pub fn endpoint_in(dialect: Dialect, asked: Endpoint, streaming: bool) -> Endpoint {
    use Endpoint as E;
    match (asked, dialect) {
        (E::CountTokens, Dialect::Gemini) => E::GeminiCountTokens,
        (E::GeminiCountTokens, Dialect::Anthropic) => E::CountTokens,
        (E::Embeddings, Dialect::Gemini) => E::GeminiBatchEmbed,
        (E::GeminiEmbed | E::GeminiBatchEmbed, Dialect::OpenAiChat) => E::Embeddings,
        (_, Dialect::Anthropic) => E::Messages,
        (_, Dialect::OpenAiChat) => E::ChatCompletions,
        (_, Dialect::OpenAiResponses) => E::Responses,
        (_, Dialect::Gemini) if streaming => E::GeminiStream,
        (_, Dialect::Gemini) => E::GeminiGenerate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_dialect_is_never_translated() {
        let all = Dialect::ALL;
        for &endpoint in Endpoint::ALL {
            assert_eq!(Served::of(endpoint, all), Some(Served::Natively), "{endpoint}");
        }
    }

    #[test]
    fn generation_goes_everywhere_and_sounds_stay() {
        let gemini = &[Dialect::Gemini];
        assert_eq!(Served::of(Endpoint::Messages, gemini), Some(Served::Translated(Dialect::Gemini)));
        assert_eq!(Served::of(Endpoint::AudioSpeech, gemini), None);
        let compact = Endpoint::ResponsesCompact;
        assert_eq!(Served::of(compact, gemini), Some(Served::Translated(Dialect::Gemini)));
        assert_eq!(endpoint_in(Dialect::Gemini, compact, false), Endpoint::GeminiGenerate);
        for count in [Endpoint::CountTokens, Endpoint::GeminiCountTokens] {
            let chat = Dialect::OpenAiChat;
            assert_eq!(Served::of(count, &[chat]), Some(Served::Counted(chat)));
            assert!(matches!(
                Served::of(count, &[chat, Dialect::Gemini]),
                Some(Served::Natively | Served::Translated(_))
            ));
            assert_eq!(Served::of(count, &[]), None);
        }
        let openai = &[Dialect::OpenAiResponses, Dialect::OpenAiChat];
        assert_eq!(
            Served::of(Endpoint::Messages, openai),
            Some(Served::Translated(Dialect::OpenAiResponses))
        );
        assert_eq!(endpoint_in(Dialect::Gemini, Endpoint::Messages, true), Endpoint::GeminiStream);
    }
}
