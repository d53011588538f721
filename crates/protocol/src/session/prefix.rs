//! Which conversation a request belongs to when the caller does not say: by how it began.
//!
//! Only for stickiness. Two conversations that begin alike share a digest, which costs nothing: they share the
//! vendor's prompt cache as well.

use sha2::{Digest, Sha256};

use crate::json::elements;
use crate::json::text::inner;
use crate::meter::stream::{members, strings};
use crate::{Dialect, Endpoint};

/// Most bytes of one text (or picture) that are hashed; of a longer one the beginning, the end and the length.
/// Hashing is what takes the time here.
const MOST: usize = 8 * 1024;

/// Claude Code's first system block differs from request to request.
const BILLING: &[u8] = b"x-anthropic-billing-header:";

/// A digest of the system prompt and the first user message: the same for every turn of a conversation, whatever
/// marks and ids the client adds to them later. `None` if the body holds no such message, or continues a conversation
/// that the vendor keeps. Scoped by nothing: put the caller and the model beside it.
///
/// User messages before the first one that a person wrote (those that begin with `<`, like Codex's
/// `<environment_context>`) count together with it.
pub fn prefix(endpoint: Endpoint, body: &[u8]) -> Option<[u8; 16]> {
    let dialect = match endpoint {
        Endpoint::Messages
        | Endpoint::CountTokens
        | Endpoint::ChatCompletions
        | Endpoint::Responses
        | Endpoint::ResponsesCompact
        | Endpoint::GeminiGenerate
        | Endpoint::GeminiStream
        | Endpoint::GeminiCountTokens => endpoint.dialect(),
        _ => return None,
    };
    let (mut system, mut talk, mut kept) = (None, None, false);
    members(body, |key, value| match (key, dialect) {
        (b"system", Dialect::Anthropic)
        | (b"instructions", Dialect::OpenAiResponses)
        | (b"systemInstruction" | b"system_instruction", Dialect::Gemini) => system = Some(value),
        (b"messages", Dialect::Anthropic | Dialect::OpenAiChat)
        | (b"input", Dialect::OpenAiResponses)
        | (b"contents", Dialect::Gemini) => talk = Some(value),
        // What counting wraps is a whole request of its own.
        (b"generateContentRequest", Dialect::Gemini) => {
            let _ = members(value, |key, value| match key {
                b"contents" => talk = Some(value),
                b"systemInstruction" | b"system_instruction" => system = Some(value),
                _ => {}
            });
        }
        (b"previous_response_id" | b"conversation", Dialect::OpenAiResponses) => kept |= value != b"null",
        _ => {}
    })
    .ok()?;
    if kept {
        return None;
    }
    let mut hash = Sha256::new();
    if let Some(system) = system {
        add(&mut hash, b's', system);
    }
    if !begin(dialect, talk?, &mut hash) {
        return None;
    }
    hash.finalize().first_chunk::<16>().copied()
}

/// Adds what stands before the model's first answer. False if there is no user message.
fn begin(dialect: Dialect, talk: &[u8], hash: &mut Sha256) -> bool {
    let mut found = false;
    match talk.first() {
        Some(b'"') => return plain(talk, hash),
        // Gemini takes a single content without its list.
        Some(b'{') => return matches!(message(dialect, talk, hash), Role::User | Role::Preamble),
        _ => {}
    }
    for item in elements(talk) {
        // Lists of plain texts: each is a user's.
        if item.first() == Some(&b'"') {
            return plain(item, hash) || found;
        }
        match message(dialect, item, hash) {
            Role::Preamble => found = true,
            // Greetings that stand before the first question do not change either, but say nothing.
            Role::Other | Role::System if !found => {}
            Role::User | Role::Other | Role::System => return true,
        }
    }
    found
}

#[derive(Clone, Copy)]
enum Role {
    System,
    /// A user message that the client made up.
    Preamble,
    User,
    /// Whatever else: the model's, a tool's, or no message at all.
    Other,
}

fn plain(text: &[u8], hash: &mut Sha256) -> bool {
    add(hash, b'u', text);
    inner(text).is_some_and(|text| !text.is_empty())
}

/// Adds one message if it is a system prompt's or a user's.
fn message(dialect: Dialect, item: &[u8], hash: &mut Sha256) -> Role {
    let mut role: &[u8] = if dialect == Dialect::Gemini { b"user" } else { b"" };
    let mut content = None;
    // The body has been walked over as a whole already, so this cannot fail.
    let _ = members(item, |key, value| match key {
        b"role" => role = inner(value).unwrap_or_default(),
        b"content" | b"parts" => content = Some(value),
        _ => {}
    });
    let Some(content) = content else { return Role::Other };
    match role {
        b"system" | b"developer" => {
            add(hash, b's', content);
            Role::System
        }
        b"user" => {
            let mut last: &[u8] = b"";
            texts(content, |text| last = text);
            add(hash, b'u', content);
            // Some clients escape the bracket.
            let marked = [&b"<"[..], b"\\u003c", b"\\u003C"].iter().any(|mark| last.starts_with(mark));
            if marked { Role::Preamble } else { Role::User }
        }
        _ => Role::Other,
    }
}

/// Adds what a content says. A plain text and a list with that one text are the same.
fn add(hash: &mut Sha256, mark: u8, content: &[u8]) {
    texts(content, |text| {
        if text.starts_with(BILLING) {
            return;
        }
        hash.update([mark]);
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
        let half = MOST / 2;
        match (text.first_chunk::<{ MOST / 2 }>(), text.get(text.len().saturating_sub(half)..)) {
            (Some(head), Some(tail)) if text.len() > MOST => {
                hash.update(head);
                hash.update(tail);
            }
            _ => hash.update(text),
        }
    });
}

/// Visits what a content says: texts and what they go with. Ids, types, marks and unknown fields are left out.
fn texts<'a>(content: &'a [u8], mut each: impl FnMut(&'a [u8])) {
    strings(content, |_, key, text| {
        let says = matches!(
            key,
            b"" | b"text"
                | b"content"
                | b"data"
                | b"url"
                | b"image_url"
                | b"file_id"
                | b"file_data"
                | b"fileUri"
                | b"file_uri"
        );
        if says && !text.is_empty() {
            each(text);
        }
    });
}

#[cfg(test)]
mod tests;
