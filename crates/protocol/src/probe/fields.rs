//! The fields of a JSON body that matter before it is sent.

use super::reach::Reach;
use super::{DecodeError, Probe, checked_model};
use crate::Dialect;
use crate::json::Reader;
use crate::json::text::{decode, decode_key, inner};

/// Largest `n`.
const MAX_N: u64 = 128;
/// Largest bound on output tokens.
const MAX_TOKENS: u64 = 1 << 31;
/// Largest absolute temperature; far beyond what any vendor takes, and harmless to any number parser.
const MAX_TEMPERATURE: f64 = 100.0;
/// Longest session hint that is kept, in bytes (Claude Code's JSON form has about 180).
const MAX_HINT: usize = 1_024;
/// Longest name of a service tier, in bytes.
const MAX_TIER: usize = 40;

/// Fields that are read. Those that decide routing or cost are allowed once; of `best_of` and `speed`, which few
/// endpoints know, the dearest counts.
#[derive(Clone, Copy)]
enum Known {
    Model,
    Stream,
    MaxTokens,
    MaxCompletionTokens,
    MaxOutputTokens,
    N,
    ServiceTier,
    BestOf,
    Speed,
    Temperature,
}

const KNOWN: [(&str, Known); 10] = [
    ("model", Known::Model),
    ("stream", Known::Stream),
    ("max_tokens", Known::MaxTokens),
    ("max_completion_tokens", Known::MaxCompletionTokens),
    ("max_output_tokens", Known::MaxOutputTokens),
    ("n", Known::N),
    ("service_tier", Known::ServiceTier),
    ("best_of", Known::BestOf),
    ("speed", Known::Speed),
    ("temperature", Known::Temperature),
];

/// Which of a handful of fields were seen already.
#[derive(Default)]
struct Seen(u16);

impl Seen {
    fn mark(&mut self, bit: u8, field: &'static str, offset: usize) -> Result<(), DecodeError> {
        if self.0 & (1 << bit) != 0 {
            return Err(DecodeError::Duplicate { field, offset });
        }
        self.0 |= 1 << bit;
        Ok(())
    }
}

/// Reads a whole body that is known to be UTF-8.
pub(super) fn read(dialect: Dialect, body: &[u8]) -> Result<Probe, DecodeError> {
    let mut found = Probe::default();
    let mut reader = Reader::new(body);
    if !matches!(reader.peek(), Some(b'{') | None) {
        let offset = reader.offset();
        return Err(DecodeError::Syntax { offset, what: "expected an object" });
    }
    let mut seen = Seen::default();
    let mut more = reader.open_object()?;
    while more {
        let offset = reader.offset();
        let key = reader.key()?;
        if memchr::memchr(b'\\', key).is_some() {
            // An escaped name means the same as the plain one, and would otherwise slip past every check.
            let name = decode_key(key).unwrap_or_default();
            member(dialect, &mut reader, name.as_bytes(), offset, &mut seen, &mut found)?;
        } else {
            member(dialect, &mut reader, key, offset, &mut seen, &mut found)?;
        }
        more = reader.more_members()?;
    }
    reader.finish()?;
    Ok(found)
}

fn member(
    dialect: Dialect,
    reader: &mut Reader<'_>,
    key: &[u8],
    offset: usize,
    seen: &mut Seen,
    found: &mut Probe,
) -> Result<(), DecodeError> {
    if dialect == Dialect::Gemini {
        if matches!(key, b"generationConfig" | b"generation_config") && reader.peek() == Some(b'{') {
            seen.mark(0, "generationConfig", offset)?;
            return generation_config(reader, found);
        }
        if matches!(key, b"serviceTier" | b"service_tier") {
            seen.mark(1, "serviceTier", offset)?;
            keep_tier(reader.skip()?, found);
            return Ok(());
        }
    } else if let Some((bit, (name, known))) = (0..).zip(KNOWN).find(|(_, (name, _))| name.as_bytes() == key)
    {
        if !matches!(known, Known::BestOf | Known::Speed | Known::Temperature) {
            seen.mark(bit, name, offset)?;
        }
        return known_field(reader, name, known, found);
    } else if key == b"metadata" && reader.peek() == Some(b'{') {
        return metadata(reader, found);
    } else if key == b"prompt_cache_key" {
        let value = reader.skip()?;
        keep_hint(value, found);
        return Ok(());
    }
    let mut reach = Reach::new(dialect, key, found);
    reach.top(key, reader.rest());
    reader.skip_visiting(|depth, key, rest| reach.nested(depth, key, rest))?;
    Ok(())
}

fn known_field(
    reader: &mut Reader<'_>,
    name: &'static str,
    known: Known,
    found: &mut Probe,
) -> Result<(), DecodeError> {
    let start = reader.offset();
    let value = reader.skip()?;
    // Vendors document these as nullable, and some SDKs send every unset field as null.
    if value == b"null" && !matches!(known, Known::Model) {
        return Ok(());
    }
    match known {
        Known::Model => found.model = Some(checked_model(decode(value), start..start + value.len())?),
        Known::Stream => {
            found.stream = match value {
                b"true" => true,
                b"false" => false,
                _ => return Err(DecodeError::Field { field: name, what: "must be true or false" }),
            }
        }
        Known::MaxTokens | Known::MaxCompletionTokens | Known::MaxOutputTokens => {
            bound(name, value, found)?;
        }
        Known::N => found.n = found.n.max(Some(check_n(value)?)),
        // The upstream judges it; a nonsense value costs nothing.
        Known::BestOf => found.n = found.n.max(whole(value).map(|n| n.min(MAX_TOKENS))),
        Known::ServiceTier => keep_tier(value, found),
        // Beside a service tier it is the speed that costs.
        Known::Speed if decode(value).as_deref() == Some("fast") => {
            found.service_tier = Some("fast".to_owned());
        }
        Known::Speed => {}
        Known::Temperature => check_temperature(name, value)?,
    }
    Ok(())
}

fn generation_config(reader: &mut Reader<'_>, found: &mut Probe) -> Result<(), DecodeError> {
    let mut seen = Seen::default();
    let mut more = reader.open_object()?;
    while more {
        let offset = reader.offset();
        let key = decode_key(reader.key()?).unwrap_or_default();
        let value = reader.skip()?;
        match key.as_str() {
            "maxOutputTokens" | "max_output_tokens" => {
                seen.mark(0, "maxOutputTokens", offset)?;
                // Protobuf's JSON form allows numbers in quotes.
                let digits = inner(value).unwrap_or(value);
                if value != b"null" {
                    bound("maxOutputTokens", digits, found)?;
                }
            }
            // Two counts, or nonsense, are the upstream's to judge; the larger one is the dearer.
            "candidateCount" | "candidate_count" => {
                found.n = found.n.max(whole(inner(value).unwrap_or(value)).map(|n| n.min(MAX_TOKENS)));
            }
            "temperature" if value != b"null" => check_temperature("temperature", value)?,
            _ => {}
        }
        more = reader.more_members()?;
    }
    Ok(())
}

fn metadata(reader: &mut Reader<'_>, found: &mut Probe) -> Result<(), DecodeError> {
    let mut more = reader.open_object()?;
    while more {
        let wanted = reader.key()? == b"user_id";
        let value = reader.skip()?;
        if wanted {
            keep_hint(value, found);
        }
        more = reader.more_members()?;
    }
    Ok(())
}

fn keep_hint(value: &[u8], found: &mut Probe) {
    if value.len() <= MAX_HINT
        && let Some(hint) = decode(value).filter(|hint| !hint.is_empty())
    {
        found.session_hint = Some(hint);
    }
}

fn bound(field: &'static str, value: &[u8], found: &mut Probe) -> Result<(), DecodeError> {
    let tokens = whole(value).filter(|n| *n <= MAX_TOKENS);
    let Some(tokens) = tokens else {
        return Err(DecodeError::Field { field, what: "must be a whole number from 0 to 2147483648" });
    };
    found.max_tokens = found.max_tokens.max(Some(tokens));
    Ok(())
}

fn keep_tier(value: &[u8], found: &mut Probe) {
    let name = decode(value).filter(|name| !name.is_empty() && name.len() <= MAX_TIER);
    if let Some(name) = name
        && found.service_tier.as_deref() != Some("fast")
    {
        found.service_tier = Some(name.to_ascii_lowercase());
    }
}

/// The number of answers asked for, checked.
pub(crate) fn check_n(value: &[u8]) -> Result<u64, DecodeError> {
    match whole(value) {
        Some(n @ 1..=MAX_N) => Ok(n),
        _ => Err(DecodeError::Field { field: "n", what: "must be a whole number from 1 to 128" }),
    }
}

fn check_temperature(field: &'static str, value: &[u8]) -> Result<(), DecodeError> {
    let number = std::str::from_utf8(value).ok().and_then(|t| t.parse::<f64>().ok());
    // Other types are left to the upstream, which words such errors better.
    match number {
        Some(number) if number.abs() > MAX_TEMPERATURE => {
            Err(DecodeError::Field { field, what: "must be a number from -100 to 100" })
        }
        _ => Ok(()),
    }
}

/// A whole number, also when written `5.0`.
fn whole(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?;
    let digits = match text.split_once('.') {
        Some((digits, fraction)) if fraction.bytes().all(|b| b == b'0') => digits,
        Some(_) => return None,
        None => text,
    };
    if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
}
