//! What a request may cost beyond its own bytes: things that the vendor fetches, remembers, searches or draws.
//!
//! A text of so many bytes is never more tokens than bytes; what is noted here is not bounded that way. Wherever a
//! body can be read in two ways, the dearer one counts. It judges nothing and refuses nothing.

use std::borrow::Cow;

use super::Probe;
use crate::Dialect;
use crate::json::Reader;
use crate::json::text::{decode_key, decode_lossy};

/// Longest text that is compared with names; only its beginning matters beyond that.
const WINDOW: usize = 64;

/// Looks at every member of a request, at any depth.
pub(super) struct Reach<'p> {
    dialect: Dialect,
    /// Inside of the top-level member `tools`.
    tools: bool,
    /// One bit a level: the object there is the value of a member `source`.
    sources: u128,
    found: &'p mut Probe,
}

impl<'p> Reach<'p> {
    /// For one top-level member.
    pub(super) fn new(dialect: Dialect, member: &[u8], found: &'p mut Probe) -> Self {
        Self { dialect, tools: member == b"tools", sources: 0, found }
    }

    /// A top-level member itself. `rest` begins at its value.
    pub(super) fn top(&mut self, key: &[u8], rest: &[u8]) {
        let rest = rest.trim_ascii_start();
        if rest.starts_with(b"null") || rest.starts_with(b"[]") || rest.starts_with(b"{}") {
            return;
        }
        match (self.dialect, key) {
            (Dialect::OpenAiResponses, b"previous_response_id" | b"conversation")
            | (Dialect::Gemini, b"cachedContent" | b"cached_content")
            | (Dialect::Anthropic, b"mcp_servers" | b"container") => self.found.remote_input = true,
            // A stored prompt; in other places `prompt` is plain text.
            (Dialect::OpenAiResponses, b"prompt") if rest.starts_with(b"{") => self.found.remote_input = true,
            (Dialect::OpenAiChat, b"web_search_options" | b"search_parameters" | b"plugins") => self.search(),
            _ => self.nested(0, key, rest),
        }
    }

    /// A member at some depth below a top-level member (1: that member's own object or elements). `rest` begins at
    /// its value.
    pub(super) fn nested(&mut self, depth: u32, key: &[u8], rest: &[u8]) {
        let bit = 1_u128.checked_shl(depth).unwrap_or(0);
        // Objects at this level or deeper have ended.
        self.sources &= bit.wrapping_sub(1);
        if memchr::memchr(b'\\', key).is_some() {
            let plain = decode_key(key).unwrap_or_default();
            self.member(depth, bit, plain.as_bytes(), rest);
        } else {
            self.member(depth, bit, key, rest);
        }
    }

    fn member(&mut self, depth: u32, bit: u128, key: &[u8], rest: &[u8]) {
        match (self.dialect, key) {
            (_, b"ttl") => self.found.caches_1h |= text(rest).as_deref() == Some(b"1h"),
            (_, b"type") if self.tools => self.tool(text(rest).as_deref().unwrap_or_default()),
            (Dialect::Gemini, _) => self.gemini(key, rest),
            (Dialect::Anthropic, b"source") if rest.trim_ascii_start().starts_with(b"{") => {
                self.sources |= bit;
            }
            (Dialect::Anthropic, b"type") => match text(rest).as_deref() {
                Some(b"url" | b"file") if depth > 0 && self.sources & (bit >> 1) != 0 => {
                    self.found.remote_input = true;
                }
                Some(b"container_upload") => self.found.remote_input = true,
                _ => {}
            },
            (Dialect::Anthropic, b"media_type") => self.inline(text(rest).as_deref().unwrap_or_default()),
            (Dialect::OpenAiChat | Dialect::OpenAiResponses, _) => self.openai(key, rest),
            _ => {}
        }
    }

    fn openai(&mut self, key: &[u8], rest: &[u8]) {
        match key {
            b"url" | b"image_url" | b"video_url" | b"audio_url" => {
                if let Some(address) = text(rest) {
                    match address.strip_prefix(b"data:") {
                        Some(kind) => self.inline(kind),
                        None => self.found.remote_input = true,
                    }
                }
            }
            b"file_id" | b"file_url" | b"file_data" => self.found.remote_input |= text(rest).is_some(),
            b"type" => self.found.remote_input |= text(rest).as_deref() == Some(b"item_reference"),
            _ => {}
        }
    }

    fn gemini(&mut self, key: &[u8], rest: &[u8]) {
        match key {
            b"fileUri" | b"file_uri" => self.found.remote_input |= text(rest).is_some(),
            b"mimeType" | b"mime_type" => self.inline(text(rest).as_deref().unwrap_or_default()),
            b"googleSearch"
            | b"google_search"
            | b"googleSearchRetrieval"
            | b"google_search_retrieval"
            | b"enterpriseWebSearch"
            | b"enterprise_web_search"
            | b"googleMaps"
            | b"google_maps"
                if self.tools =>
            {
                self.search();
            }
            b"urlContext" | b"url_context" | b"codeExecution" | b"code_execution" | b"fileSearch"
            | b"file_search" | b"retrieval"
                if self.tools =>
            {
                self.found.remote_input = true;
            }
            _ => {}
        }
    }

    /// A tool by its type. Tools that run at the vendor put their results into the input.
    fn tool(&mut self, kind: &[u8]) {
        const REMOTE: [&[u8]; 7] = [
            b"web_fetch",
            b"file_search",
            b"code_interpreter",
            b"code_execution",
            b"mcp",
            b"advisor",
            b"openrouter:",
        ];
        if kind.starts_with(b"web_search") {
            self.search();
        } else if REMOTE.iter().any(|name| kind.starts_with(name)) {
            self.found.remote_input = true;
        }
    }

    fn search(&mut self) {
        self.found.web_search = true;
        self.found.remote_input = true;
    }

    /// Something that lies in the body itself. Few bytes can be a large picture, or many pages.
    fn inline(&mut self, kind: &[u8]) {
        // Compressed sound still has far more bytes than tokens.
        const BOUNDED: [&[u8]; 6] = [
            b"audio/",
            b"text/",
            b"application/json",
            b"application/xml",
            b"application/javascript",
            b"application/x-",
        ];
        if kind.starts_with(b"image/") {
            self.found.images = self.found.images.saturating_add(1);
        } else if !kind.is_empty() && !BOUNDED.iter().any(|name| kind.starts_with(name)) {
            self.found.remote_input = true;
        }
    }
}

/// The beginning of a string value, escapes undone; the whole of it if it is short. `None` for other values.
fn text(rest: &[u8]) -> Option<Cow<'_, [u8]>> {
    let rest = rest.trim_ascii_start();
    let from = rest.strip_prefix(b"\"")?;
    let window = from.get(..WINDOW).unwrap_or(from);
    let end = memchr::memchr2(b'"', b'\\', window).unwrap_or(window.len());
    if window.get(end) != Some(&b'\\') {
        return window.get(..end).map(Cow::Borrowed);
    }
    let whole = Reader::new(rest).skip().ok()?;
    Some(Cow::Owned(decode_lossy(whole).unwrap_or_default().into_bytes()))
}
