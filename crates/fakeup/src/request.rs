//! A request as it arrived, and what it asks for.

use bytes::Bytes;

/// A request, complete.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method as sent.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Names as sent, in order.
    pub headers: Vec<(String, String)>,
    /// The body, without framing.
    pub body: Bytes,
    model: Option<String>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the vendors' own")]
pub enum Call {
    Messages,
    CountTokens,
    Chat,
    Completions,
    Responses,
    Compact,
    Embeddings,
    Images,
    Speech,
    Transcription,
    Moderations,
    Rerank,
    GeminiGenerate,
    GeminiStream,
    GeminiCount,
    GeminiEmbed,
    GeminiBatchEmbed,
    Models,
    Unknown,
}

const BY_PATH: &[(&str, Call)] = &[
    ("/messages", Call::Messages),
    ("/invoke", Call::Messages),
    ("/invoke-with-response-stream", Call::Messages),
    ("/count-tokens", Call::CountTokens),
    ("/messages/count_tokens", Call::CountTokens),
    ("/chat/completions", Call::Chat),
    ("/completions", Call::Completions),
    ("/responses", Call::Responses),
    ("/responses/compact", Call::Compact),
    ("/embeddings", Call::Embeddings),
    ("/images/generations", Call::Images),
    ("/images/edits", Call::Images),
    ("/images/variations", Call::Images),
    ("/audio/speech", Call::Speech),
    ("/audio/transcriptions", Call::Transcription),
    ("/audio/translations", Call::Transcription),
    ("/moderations", Call::Moderations),
    ("/rerank", Call::Rerank),
];

const BY_VERB: &[(&str, Call)] = &[
    ("/count-tokens:rawPredict", Call::CountTokens),
    (":rawPredict", Call::Messages),
    (":streamRawPredict", Call::Messages),
    (":generateContent", Call::GeminiGenerate),
    (":streamGenerateContent", Call::GeminiStream),
    (":countTokens", Call::GeminiCount),
    (":embedContent", Call::GeminiEmbed),
    (":batchEmbedContents", Call::GeminiBatchEmbed),
];

/// Headers that carry a credential.
const CREDENTIALS: [&str; 4] = ["x-api-key", "x-goog-api-key", "api-key", "authorization"];

impl Received {
    pub(crate) fn new(method: String, target: String, headers: Vec<(String, String)>, body: Bytes) -> Self {
        let mut request = Self { method, target, headers, body, model: None };
        request.model = request.find_model();
        request
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query, without `?`.
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The credential, without `Bearer`.
    pub fn credential(&self) -> Option<&str> {
        let text = CREDENTIALS.iter().find_map(|name| self.header(name))?;
        Some(text.strip_prefix("Bearer ").unwrap_or(text))
    }

    /// The model, from the path or the body.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// What is asked for.
    pub fn call(&self) -> Call {
        let path = self.path();
        if self.method == "GET" {
            let models = path.ends_with("/models") || path.contains("/models/") || path.ends_with("-models");
            return if models { Call::Models } else { Call::Unknown };
        }
        if let Some((_, call)) = BY_VERB.iter().find(|(verb, _)| path.ends_with(verb)) {
            return *call;
        }
        let fits = |end: &str| path.ends_with(end);
        let best = BY_PATH.iter().filter(|(end, _)| fits(end)).max_by_key(|(end, _)| end.len());
        best.map_or(Call::Unknown, |(_, call)| *call)
    }

    /// Whether a stream is asked for.
    pub fn streaming(&self) -> bool {
        let path = self.path();
        match self.call() {
            Call::GeminiStream => true,
            Call::Messages if path.ends_with("/invoke") || path.ends_with(":rawPredict") => false,
            Call::Messages if path.ends_with("-stream") || path.ends_with(":streamRawPredict") => true,
            Call::Messages | Call::Chat | Call::Completions | Call::Responses => self.says("stream", b"true"),
            _ => false,
        }
    }

    /// Whether a chat stream is to end with its usage.
    pub(crate) fn include_usage(&self) -> bool {
        self.says("include_usage", b"true")
    }

    /// Whether the body has this member with this value. A search in the bytes is enough for a fake.
    fn says(&self, name: &str, value: &[u8]) -> bool {
        self.member(name).is_some_and(|found| found.starts_with(value))
    }

    fn member(&self, name: &str) -> Option<&[u8]> {
        let quoted = format!("\"{name}\"");
        let mut from = 0;
        // A text may hold the same word; only one that is followed by a colon is a member.
        while let Some(at) =
            self.body.get(from..).and_then(|rest| memchr::memmem::find(rest, quoted.as_bytes()))
        {
            from += at + quoted.len();
            let rest = self.body.get(from..)?.trim_ascii_start();
            if let Some(value) = rest.strip_prefix(b":") {
                return Some(value.trim_ascii_start());
            }
        }
        None
    }

    fn find_model(&self) -> Option<String> {
        let at_amazon = || self.path().strip_prefix("/model/")?.split('/').next();
        let named = || self.path().rsplit_once("/models/").map(|(_, tail)| tail);
        if let Some(tail) = at_amazon().or_else(named).filter(|tail| !tail.starts_with("count-tokens:")) {
            let model = tail.split(':').next().unwrap_or(tail);
            return Some(model.replace("%2F", "/").replace("%2f", "/").replace("%3A", ":"));
        }
        let in_form = || {
            let at = memchr::memmem::find(&self.body, b"name=\"model\"\r\n")?;
            let (_, value) = split_once(self.body.get(at..)?, b"\r\n\r\n")?;
            value.split(|byte| *byte == b'\r').next().map(|model| String::from_utf8_lossy(model).into_owned())
        };
        match self.member("model") {
            Some(value) => {
                let text = value.strip_prefix(b"\"")?.split(|byte| *byte == b'"').next()?;
                Some(String::from_utf8_lossy(text).into_owned())
            }
            None => in_form(),
        }
    }
}

/// Splits at the first place where `mark` stands.
pub(crate) fn split_once<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::find(bytes, mark)?;
    Some((bytes.get(..at)?, bytes.get(at + mark.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(target: &str, body: &str) -> Received {
        Received::new("POST".into(), target.into(), Vec::new(), Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn requests_are_understood() {
        for (target, body, call, model, streaming) in [
            ("/v1/messages?beta=true", r#"{"model": "m", "stream" : true}"#, Call::Messages, Some("m"), true),
            ("/v1/messages/count_tokens", r#"{"model":"m"}"#, Call::CountTokens, Some("m"), false),
            ("/openai/v1/chat/completions", r#"{"a":"\"model\"","model":"x"}"#, Call::Chat, Some("x"), false),
            ("/v1/completions", "{}", Call::Completions, None, false),
            ("/v1beta/models/a%2Fb:streamGenerateContent", "{}", Call::GeminiStream, Some("a/b"), true),
            (
                "/v1/audio/transcriptions",
                "--b\r\nname=\"model\"\r\n\r\nw-1\r\n--b",
                Call::Transcription,
                Some("w-1"),
                false,
            ),
            ("/v1/nothing", "", Call::Unknown, None, false),
            ("/model/a%3A0/invoke-with-response-stream", "{}", Call::Messages, Some("a:0"), true),
            ("/model/a/invoke", "{}", Call::Messages, Some("a"), false),
            ("/v1/publishers/anthropic/models/c:streamRawPredict", "{}", Call::Messages, Some("c"), true),
            ("/v1/publishers/anthropic/models/c:rawPredict", "{}", Call::Messages, Some("c"), false),
            ("/v1/x/models/count-tokens:rawPredict", r#"{"model":"c"}"#, Call::CountTokens, Some("c"), false),
        ] {
            let request = post(target, body);
            assert_eq!(
                (request.call(), request.model(), request.streaming()),
                (call, model, streaming),
                "{target}"
            );
        }
    }
}
