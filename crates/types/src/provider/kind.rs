//! The kinds of providers: whose API it is.

use serde::{Deserialize, Serialize};

use crate::dialect::{Dialect, Endpoint, named};

named! {
    /// What an upstream speaks and how it wants to be addressed.
    ProviderKind {
        /// Anthropic's Messages API (`x-api-key`).
        Anthropic = "anthropic",
        /// OpenAI's own API (`Authorization: Bearer`).
        OpenAi = "openai",
        /// Anything that speaks OpenAI's paths: local model servers, resellers, other gateways.
        OpenAiCompatible = "openai-compatible",
        /// Google's Gemini API (`x-goog-api-key`).
        Gemini = "gemini",
        /// Azure OpenAI's `/openai/v1` surface (`api-key`, or a token of Entra ID).
        AzureOpenAi = "azure-openai",
        /// Google Vertex AI: Gemini and Claude (a service account, a token, or an express-mode key).
        Vertex = "vertex",
        /// Amazon Bedrock: Claude (signed with AWS keys, or a Bedrock API key as bearer).
        Bedrock = "bedrock",
    }
}

impl ProviderKind {
    /// What this kind speaks, the one that loses least in a translation first.
    pub fn dialects(self) -> &'static [Dialect] {
        match self {
            Self::Anthropic | Self::Bedrock => &[Dialect::Anthropic],
            Self::Gemini => &[Dialect::Gemini],
            // Only Responses hands reasoning back; compatible servers know Chat better.
            Self::OpenAi | Self::AzureOpenAi => &[Dialect::OpenAiResponses, Dialect::OpenAiChat],
            Self::OpenAiCompatible => &[Dialect::OpenAiChat, Dialect::OpenAiResponses],
            Self::Vertex => &[Dialect::Gemini, Dialect::Anthropic],
        }
    }

    /// The one dialect that a model has here, if the models of this kind differ in that.
    pub fn dialect_of(self, model: &str) -> Option<Dialect> {
        let claude = || model.to_ascii_lowercase().contains("claude");
        match self {
            Self::Vertex if claude() => Some(Dialect::Anthropic),
            Self::Vertex => Some(Dialect::Gemini),
            _ => None,
        }
    }

    /// Whether it has an endpoint at all, of those in the dialects that it speaks.
    pub fn offers(self, endpoint: Endpoint) -> bool {
        // Vertex AI makes vectors in a way of its own.
        self != Self::Vertex || !matches!(endpoint, Endpoint::GeminiEmbed | Endpoint::GeminiBatchEmbed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_of_vertex_has_one_dialect() {
        use ProviderKind as K;
        assert_eq!(K::Vertex.dialect_of("claude-sonnet-4-5@20250929"), Some(Dialect::Anthropic));
        assert_eq!(K::Vertex.dialect_of("gemini-2.5-pro"), Some(Dialect::Gemini));
        assert_eq!(K::Bedrock.dialect_of("us.anthropic.claude-x"), None);
        assert!(K::Gemini.offers(Endpoint::GeminiEmbed) && !K::Vertex.offers(Endpoint::GeminiEmbed));
    }
}
