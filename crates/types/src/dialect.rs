//! Wire formats and endpoints, as names. Their bytes live in `protocol`.

use serde::{Deserialize, Serialize};

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable text form, as used in JSON, the database and URLs.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::dialect::UnknownName;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    $crate::dialect::UnknownName {
                        expected: Self::ALL.iter().map(|v| v.as_str()).collect::<Vec<_>>().join(", "),
                    }
                })
            }
        }
    };
}
pub(crate) use named;

/// The text is none of the known names.
#[derive(Debug, thiserror::Error)]
#[error("expected one of: {expected}")]
pub struct UnknownName {
    /// The names that would have been accepted.
    pub expected: String,
}

named! {
    /// Wire format of a request.
    Dialect {
        /// Anthropic Messages.
        Anthropic = "anthropic",
        /// OpenAI Chat Completions and its older siblings.
        OpenAiChat = "openai-chat",
        /// OpenAI Responses.
        OpenAiResponses = "openai-responses",
        /// Google Gemini `generateContent`.
        Gemini = "gemini",
    }
}

named! {
    /// What a caller asked for: one value for each forwarded path of the model surface.
    Endpoint {
        /// `POST /v1/messages`
        Messages = "messages",
        /// `POST /v1/messages/count_tokens`
        CountTokens = "count_tokens",
        /// `POST /v1/chat/completions`
        ChatCompletions = "chat_completions",
        /// `POST /v1/completions`
        Completions = "completions",
        /// `POST /v1/responses`
        Responses = "responses",
        /// `POST /v1/responses/compact`
        ResponsesCompact = "responses_compact",
        /// `POST /v1/embeddings`
        Embeddings = "embeddings",
        /// `POST /v1/images/generations`
        ImageGenerations = "image_generations",
        /// `POST /v1/images/edits` (multipart)
        ImageEdits = "image_edits",
        /// `POST /v1/images/variations` (multipart)
        ImageVariations = "image_variations",
        /// `POST /v1/audio/speech`
        AudioSpeech = "audio_speech",
        /// `POST /v1/audio/transcriptions` (multipart)
        AudioTranscriptions = "audio_transcriptions",
        /// `POST /v1/audio/translations` (multipart)
        AudioTranslations = "audio_translations",
        /// `POST /v1/moderations`
        Moderations = "moderations",
        /// `POST /v1/rerank`
        Rerank = "rerank",
        /// `POST …/models/{model}:generateContent`
        GeminiGenerate = "gemini_generate",
        /// `POST …/models/{model}:streamGenerateContent`
        GeminiStream = "gemini_stream",
        /// `POST …/models/{model}:countTokens`
        GeminiCountTokens = "gemini_count_tokens",
        /// `POST …/models/{model}:embedContent`
        GeminiEmbed = "gemini_embed",
        /// `POST …/models/{model}:batchEmbedContents`
        GeminiBatchEmbed = "gemini_batch_embed",
    }
}

impl Endpoint {
    /// The dialect that its errors are written in and its usage is read in.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Messages | Self::CountTokens => Dialect::Anthropic,
            Self::Responses | Self::ResponsesCompact => Dialect::OpenAiResponses,
            Self::GeminiGenerate
            | Self::GeminiStream
            | Self::GeminiCountTokens
            | Self::GeminiEmbed
            | Self::GeminiBatchEmbed => Dialect::Gemini,
            Self::ChatCompletions
            | Self::Completions
            | Self::Embeddings
            | Self::ImageGenerations
            | Self::ImageEdits
            | Self::ImageVariations
            | Self::AudioSpeech
            | Self::AudioTranscriptions
            | Self::AudioTranslations
            | Self::Moderations
            | Self::Rerank => Dialect::OpenAiChat,
        }
    }

    /// Whether it only counts tokens: cheap, free upstream, and fired in bursts by command-line clients.
    pub fn is_count(self) -> bool {
        matches!(self, Self::CountTokens | Self::GeminiCountTokens)
    }
}
