//! How a caller spells what an Anthropic request cannot say, so that a loss names the caller's own field.

use crate::Dialect;
use crate::neutral::Request;

/// A field of the neutral form that may be lost or changed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field {
    MaxTokens,
    Temperature,
    TopP,
    TopK,
    Stop,
    Seed,
    PresencePenalty,
    FrequencyPenalty,
    N,
    Logprobs,
    Reasoning,
    Format,
    Verbosity,
    User,
    ServiceTier,
    Modalities,
    ToolChoice,
}

/// Its path in the caller's body.
pub(super) fn field(request: &Request, field: Field) -> String {
    let words = match field {
        Field::MaxTokens => {
            ["max_tokens", "max_tokens", "max_output_tokens", "generationConfig.maxOutputTokens"]
        }
        Field::Temperature => ["temperature", "temperature", "temperature", "generationConfig.temperature"],
        Field::TopP => ["top_p", "top_p", "top_p", "generationConfig.topP"],
        Field::TopK => ["top_k", "top_k", "top_k", "generationConfig.topK"],
        Field::Stop => ["stop_sequences", "stop", "stop", "generationConfig.stopSequences"],
        Field::Seed => ["seed", "seed", "seed", "generationConfig.seed"],
        Field::PresencePenalty => {
            ["presence_penalty", "presence_penalty", "presence_penalty", "generationConfig.presencePenalty"]
        }
        Field::FrequencyPenalty => [
            "frequency_penalty",
            "frequency_penalty",
            "frequency_penalty",
            "generationConfig.frequencyPenalty",
        ],
        Field::N => ["n", "n", "n", "generationConfig.candidateCount"],
        Field::Logprobs => ["logprobs", "logprobs", "top_logprobs", "generationConfig.responseLogprobs"],
        Field::Reasoning => ["thinking", "reasoning_effort", "reasoning", "generationConfig.thinkingConfig"],
        Field::Format => {
            ["output_config.format", "response_format", "text.format", "generationConfig.responseMimeType"]
        }
        Field::Verbosity => ["verbosity", "verbosity", "text.verbosity", "verbosity"],
        Field::User => ["metadata.user_id", "user", "safety_identifier", "labels"],
        Field::ServiceTier => ["service_tier", "service_tier", "service_tier", "serviceTier"],
        Field::Modalities => {
            ["modalities", "modalities", "modalities", "generationConfig.responseModalities"]
        }
        Field::ToolChoice => {
            ["tool_choice", "tool_choice", "tool_choice", "toolConfig.functionCallingConfig"]
        }
    };
    let [anthropic, chat, responses, gemini] = words;
    match request.dialect {
        Dialect::Anthropic => anthropic,
        Dialect::OpenAiChat => chat,
        Dialect::OpenAiResponses => responses,
        Dialect::Gemini => gemini,
    }
    .to_owned()
}
