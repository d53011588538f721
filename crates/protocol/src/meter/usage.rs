//! Token counts of a usage object, in the shapes that vendors and compatible servers use.
//!
//! Counts that make no sense (negative, fractional, texts) are ignored, absurdly large ones are cut.

use types::request::TokenUsage;

use crate::json::text::inner;
use crate::json::{self, Reader};
use crate::{Dialect, Endpoint};

use super::Metered;

/// Largest count that is believed.
const MAX_COUNT: u64 = 1 << 32;
/// Longest name of a service tier that is kept, in bytes.
const MAX_TIER: usize = 40;
/// Most steps of one answer that are added up.
const MAX_STEPS: usize = 1_000;

/// Takes over a usage object. False if it held no count at all (`null`, `{}`, other units than tokens).
pub(super) fn read(endpoint: Endpoint, raw: &[u8], metered: &mut Metered) -> bool {
    // Answers of counting calls carry counts that cost nothing.
    if endpoint.is_count() {
        return false;
    }
    let counts = Counts::read(raw);
    let searches = &mut metered.usage.web_searches;
    *searches = (*searches).max(counts.web_searches.unwrap_or(0));
    if let Some(name) = counts.tier {
        tier(name, metered);
    }
    if !counts.any {
        return false;
    }
    metered.usage_seen = true;
    let usage = &mut metered.usage;
    let pieces = (usage.images, usage.web_searches);
    match endpoint.dialect() {
        Dialect::Anthropic => counts.merge_anthropic(usage),
        Dialect::OpenAiChat | Dialect::OpenAiResponses => *usage = counts.openai(),
        Dialect::Gemini => *usage = counts.gemini(),
    }
    (usage.images, usage.web_searches) = pieces;
    if is_image(endpoint) {
        // What an image endpoint writes is images unless it says otherwise.
        if counts.image_output.is_none() {
            usage.image_output = usage.output;
        }
        if usage.total() > 0 {
            usage.images = 0;
        }
    }
    usage.cache_write_1h = usage.cache_write_1h.min(usage.cache_write);
    usage.reasoning = usage.reasoning.min(usage.output);
    // The parts never add up to more than the whole. Cached audio and images stay among the fresh ones here,
    // because most vendors do not say how much of what was cached they are: never too cheap.
    usage.audio_input = usage.audio_input.min(usage.input);
    usage.image_input = usage.image_input.min(usage.input - usage.audio_input);
    usage.audio_output = usage.audio_output.min(usage.output - usage.reasoning);
    usage.image_output = usage.image_output.min(usage.output - usage.reasoning - usage.audio_output);
    true
}

/// Endpoints that make images.
pub(super) fn is_image(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::ImageGenerations | Endpoint::ImageEdits | Endpoint::ImageVariations)
}

/// Takes over the service tier, a JSON string. `auto` repeats what was asked and says nothing.
pub(super) fn tier(raw: &[u8], metered: &mut Metered) {
    let name = inner(raw).unwrap_or_default();
    let name = name.strip_prefix(b"ON_DEMAND_").unwrap_or(name);
    let name = if name == b"ON_DEMAND" { b"standard" } else { name };
    let known = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if name.is_empty() || name.len() > MAX_TIER || !name.iter().all(known) || name == b"auto" {
        return;
    }
    // Chat streams repeat it in every chunk.
    if metered.service_tier.as_ref().is_none_or(|old| !old.as_bytes().eq_ignore_ascii_case(name)) {
        metered.service_tier = Some(String::from_utf8_lossy(name).to_ascii_lowercase());
    }
}

/// Every count of interest, by the meaning that all names share.
#[derive(Debug, Default)]
struct Counts<'a> {
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
    audio_input: Option<u64>,
    audio_output: Option<u64>,
    image_input: Option<u64>,
    image_output: Option<u64>,
    audio_cached: Option<u64>,
    image_cached: Option<u64>,
    web_searches: Option<u64>,
    tier: Option<&'a [u8]>,
    /// Anthropic: steps of the vendor's own (compaction, an advisor's answer) that the totals leave out.
    steps: Vec<Counts<'a>>,
}

/// Which part of a usage object is being read.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Whole,
    /// One of `iterations`: like the whole, but without steps of its own.
    Step,
    /// A nested object whose names mean the same as outside.
    Same,
    Input,
    Output,
    Cached,
}

impl<'a> Counts<'a> {
    fn read(raw: &'a [u8]) -> Self {
        let mut counts = Self::default();
        // A fault in the middle leaves what was read before it; that is better than nothing.
        let _ = counts.object(&mut Reader::new(raw), Part::Whole);
        counts
    }

    fn object(&mut self, reader: &mut Reader<'a>, part: Part) -> Result<(), json::Fault> {
        let mut more = reader.open_object()?;
        while more {
            let key = reader.key()?;
            let nested = if matches!(part, Part::Whole | Part::Step) { nested(key) } else { None };
            match (nested, reader.peek()) {
                (Some(inner), Some(b'{')) => self.object(reader, inner)?,
                (Some(inner), Some(b'[')) => self.modalities(reader.skip()?, inner)?,
                (None, Some(b'[')) if part == Part::Whole && key == b"iterations" => {
                    self.iterations(reader.skip()?)?;
                }
                _ => {
                    let value = reader.skip()?;
                    self.take(part, key, value);
                }
            }
            more = reader.more_members()?;
        }
        Ok(())
    }

    /// Gemini's `[{"modality":"AUDIO","tokenCount":7}]`.
    fn modalities(&mut self, raw: &'a [u8], part: Part) -> Result<(), json::Fault> {
        let mut reader = Reader::new(raw);
        let mut more = reader.open_array()?;
        while more {
            let entry = reader.skip()?;
            let modality = json::field(entry, "modality").and_then(inner);
            let count = json::field(entry, "tokenCount").and_then(count);
            let slot = match (modality, part) {
                (Some(b"AUDIO"), Part::Input) => Some(&mut self.audio_input),
                (Some(b"AUDIO"), Part::Output) => Some(&mut self.audio_output),
                (Some(b"AUDIO"), Part::Cached) => Some(&mut self.audio_cached),
                (Some(b"IMAGE"), Part::Input) => Some(&mut self.image_input),
                (Some(b"IMAGE"), Part::Output) => Some(&mut self.image_output),
                (Some(b"IMAGE"), Part::Cached) => Some(&mut self.image_cached),
                _ => None,
            };
            if let (Some(slot), Some(count)) = (slot, count) {
                *slot = Some(slot.unwrap_or(0) + count);
            }
            more = reader.more_elements()?;
        }
        Ok(())
    }

    fn iterations(&mut self, raw: &'a [u8]) -> Result<(), json::Fault> {
        let mut reader = Reader::new(raw);
        let mut more = reader.open_array()?;
        while more && self.steps.len() < MAX_STEPS {
            let entry = reader.skip()?;
            if json::field(entry, "type").and_then(inner) != Some(b"message") {
                let mut step = Counts::default();
                step.object(&mut Reader::new(entry), Part::Step)?;
                self.steps.push(step);
            }
            more = reader.more_elements()?;
        }
        Ok(())
    }

    fn take(&mut self, part: Part, key: &[u8], value: &'a [u8]) {
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
            b"audio_tokens" if part == Part::Input => &mut self.audio_input,
            b"audio_tokens" if part == Part::Output => &mut self.audio_output,
            b"image_tokens" if part == Part::Input => &mut self.image_input,
            b"image_tokens" if part == Part::Output => &mut self.image_output,
            b"web_search_requests" | b"num_search_queries" => {
                self.web_searches = self.web_searches.max(count(value));
                return;
            }
            // `speed` stands beside a `service_tier` of `standard` and is what costs.
            b"speed" if inner(value) == Some(b"fast") => {
                self.tier = Some(value);
                return;
            }
            b"service_tier" | b"serviceTier" if part == Part::Whole => {
                if self.tier.and_then(inner) != Some(b"fast") {
                    self.tier = Some(value);
                }
                return;
            }
            b"trafficType" if part == Part::Whole => {
                self.tier = self.tier.or(Some(value));
                return;
            }
            _ => return,
        };
        if let Some(count) = count(value) {
            // The same class may come under two names, one of them zero.
            *slot = (*slot).max(Some(count));
            // A part of a class says nothing while the class itself makes no sense.
            self.any |= !matches!(key, b"audio_tokens" | b"image_tokens");
        }
    }

    /// Anthropic reports in two events: the last word on each class wins, but a zero does not take back
    /// what the first event said (some servers fill only one of the two).
    fn merge_anthropic(&self, usage: &mut TokenUsage) {
        for (slot, count) in [
            (&mut usage.input, self.with_steps(|c| c.input)),
            (&mut usage.output, self.with_steps(|c| c.output)),
            (&mut usage.cache_read, self.with_steps(|c| c.cache_read)),
            (&mut usage.cache_write, self.with_steps(|c| c.cache_write.max(c.by_life()))),
            (&mut usage.cache_write_1h, self.with_steps(|c| c.cache_write_1h)),
            (&mut usage.reasoning, self.with_steps(|c| c.reasoning)),
        ] {
            if let Some(count) = count.filter(|count| *count > 0) {
                *slot = count;
            }
        }
    }

    fn by_life(&self) -> Option<u64> {
        match (self.cache_write_5m, self.cache_write_1h) {
            (None, None) => None,
            (five, hour) => Some(five.unwrap_or(0) + hour.unwrap_or(0)),
        }
    }

    fn with_steps(&self, class: impl Fn(&Self) -> Option<u64>) -> Option<u64> {
        let more: u64 = self.steps.iter().filter_map(&class).sum();
        class(self).map(|count| count + more)
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
            reasoning,
            ..self.media()
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
            reasoning,
            ..self.media()
        }
    }

    /// Audio and images only.
    fn media(&self) -> TokenUsage {
        let fresh =
            |all: Option<u64>, cached: Option<u64>| all.unwrap_or(0).saturating_sub(cached.unwrap_or(0));
        TokenUsage {
            audio_input: fresh(self.audio_input, self.audio_cached),
            audio_output: self.audio_output.unwrap_or(0),
            image_input: fresh(self.image_input, self.image_cached),
            image_output: self.image_output.unwrap_or(0),
            ..TokenUsage::default()
        }
    }
}

/// Members that take the total apart.
fn nested(key: &[u8]) -> Option<Part> {
    Some(match key {
        b"prompt_tokens_details"
        | b"input_tokens_details"
        | b"input_token_details"
        | b"promptTokensDetails"
        | b"promptTokenDetails"
        | b"toolUsePromptTokensDetails" => Part::Input,
        b"completion_tokens_details"
        | b"output_tokens_details"
        | b"output_token_details"
        | b"candidatesTokensDetails" => Part::Output,
        b"cacheTokensDetails" => Part::Cached,
        b"cache_creation" | b"billed_units" | b"server_tool_use" | b"server_tool_use_details" => Part::Same,
        _ => return None,
    })
}

/// A whole number, cut at [`MAX_COUNT`].
fn count(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = std::str::from_utf8(value).ok()?;
    Some(digits.parse::<u64>().unwrap_or(MAX_COUNT).min(MAX_COUNT))
}
