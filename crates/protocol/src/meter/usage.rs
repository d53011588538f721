//! Token counts of a usage object, in the shapes that vendors and compatible servers use.
//!
//! Counts that make no sense (negative, fractional, texts) are ignored, absurdly large ones are cut.

use types::request::TokenUsage;

use crate::json::{self, Reader};
use crate::{Dialect, Endpoint};

use super::Metered;

/// Largest count that is believed.
const MAX_COUNT: u64 = 1 << 32;

/// Takes over a usage object. False if it held no count at all (`null`, `{}`, other units than tokens).
pub(super) fn read(endpoint: Endpoint, raw: &[u8], metered: &mut Metered) -> bool {
    // Answers of counting calls carry counts that cost nothing.
    if endpoint.is_count() {
        return false;
    }
    let counts = Counts::read(raw);
    if !counts.any {
        return false;
    }
    metered.usage_seen = true;
    let usage = &mut metered.usage;
    match endpoint.dialect() {
        Dialect::Anthropic => counts.merge_anthropic(usage),
        Dialect::OpenAiChat | Dialect::OpenAiResponses => *usage = counts.openai(),
        Dialect::Gemini => *usage = counts.gemini(),
    }
    usage.cache_write_1h = usage.cache_write_1h.min(usage.cache_write);
    usage.reasoning = usage.reasoning.min(usage.output);
    true
}

/// Every count of interest, by the meaning that all names share.
#[derive(Debug, Default)]
struct Counts {
    any: bool,
    input: Option<u64>,
    output: Option<u64>,
    total: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    cache_write_5m: Option<u64>,
    cache_write_1h: Option<u64>,
    reasoning: Option<u64>,
    /// Gemini: what tools put before the model; counted apart from the prompt.
    tool_input: Option<u64>,
}

impl Counts {
    fn read(raw: &[u8]) -> Self {
        let mut counts = Self::default();
        // A fault in the middle leaves what was read before it; that is better than nothing.
        let _ = counts.object(&mut Reader::new(raw), true);
        counts
    }

    fn object(&mut self, reader: &mut Reader<'_>, outermost: bool) -> Result<(), json::Fault> {
        let mut more = reader.open_object()?;
        while more {
            let key = reader.key()?;
            let nested = matches!(
                key,
                b"prompt_tokens_details"
                    | b"input_tokens_details"
                    | b"completion_tokens_details"
                    | b"output_tokens_details"
                    | b"cache_creation"
                    | b"billed_units"
            );
            if nested && outermost && reader.peek() == Some(b'{') {
                self.object(reader, false)?;
            } else {
                let value = reader.skip()?;
                self.take(key, value);
            }
            more = reader.more_members()?;
        }
        Ok(())
    }

    fn take(&mut self, key: &[u8], value: &[u8]) {
        let slot = match key {
            b"input_tokens" | b"prompt_tokens" | b"promptTokenCount" => &mut self.input,
            b"output_tokens" | b"completion_tokens" | b"candidatesTokenCount" => &mut self.output,
            b"total_tokens" | b"totalTokenCount" => &mut self.total,
            b"cache_read_input_tokens"
            | b"cached_tokens"
            | b"num_cached_tokens"
            | b"prompt_cache_hit_tokens"
            | b"cachedContentTokenCount" => &mut self.cache_read,
            b"cache_creation_input_tokens" | b"cache_write_tokens" => &mut self.cache_write,
            b"ephemeral_5m_input_tokens" => &mut self.cache_write_5m,
            b"ephemeral_1h_input_tokens" => &mut self.cache_write_1h,
            b"reasoning_tokens" | b"thinking_tokens" | b"thoughtsTokenCount" => &mut self.reasoning,
            b"toolUsePromptTokenCount" => &mut self.tool_input,
            _ => return,
        };
        if let Some(count) = count(value) {
            // The same class may come under two names, one of them zero.
            *slot = (*slot).max(Some(count));
            self.any = true;
        }
    }

    /// Anthropic reports in two events: the last word on each class wins, but a zero does not take back
    /// what the first event said (some servers fill only one of the two).
    fn merge_anthropic(&self, usage: &mut TokenUsage) {
        let by_life = match (self.cache_write_5m, self.cache_write_1h) {
            (None, None) => None,
            (five, hour) => Some(five.unwrap_or(0) + hour.unwrap_or(0)),
        };
        for (slot, count) in [
            (&mut usage.input, self.input),
            (&mut usage.output, self.output),
            (&mut usage.cache_read, self.cache_read),
            (&mut usage.cache_write, self.cache_write.max(by_life)),
            (&mut usage.cache_write_1h, self.cache_write_1h),
            (&mut usage.reasoning, self.reasoning),
        ] {
            if let Some(count) = count.filter(|count| *count > 0) {
                *slot = count;
            }
        }
    }

    /// `OpenAI` counts cached tokens as part of the input.
    fn openai(&self) -> TokenUsage {
        let reasoning = self.reasoning.unwrap_or(0);
        let output = self.output.unwrap_or(0);
        // Embeddings and rerank of some servers know nothing but a total.
        let input = match (self.input, self.output) {
            (None, None) => self.total.unwrap_or(0),
            (input, _) => input.unwrap_or(0),
        };
        // xAI leaves reasoning out of the output; its total gives it away.
        let apart = reasoning > 0 && self.total == Some(input + output + reasoning);
        let cache_read = self.cache_read.unwrap_or(0).min(input);
        let cache_write = self.cache_write.unwrap_or(0).min(input - cache_read);
        TokenUsage {
            input: input - cache_read - cache_write,
            output: if apart { output + reasoning } else { output },
            cache_read,
            cache_write,
            cache_write_1h: 0,
            reasoning,
        }
    }

    /// Gemini counts cached tokens as part of the prompt, and thoughts and tool input apart from everything.
    fn gemini(&self) -> TokenUsage {
        let prompt = self.input.unwrap_or(0);
        let cache_read = self.cache_read.unwrap_or(0).min(prompt);
        let reasoning = self.reasoning.unwrap_or(0);
        TokenUsage {
            input: prompt - cache_read + self.tool_input.unwrap_or(0),
            output: self.output.unwrap_or(0) + reasoning,
            cache_read,
            cache_write: 0,
            cache_write_1h: 0,
            reasoning,
        }
    }
}

/// A whole number, cut at [`MAX_COUNT`].
fn count(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = std::str::from_utf8(value).ok()?;
    Some(digits.parse::<u64>().unwrap_or(MAX_COUNT).min(MAX_COUNT))
}
