//! The requests of the bench, as the bytes that go over the socket. It knows no targets.

use std::time::Duration;

/// Modes of the upstream, told in a field that every proxy passes on.
/// The model that all of them ask for.
pub(crate) const MODEL: &str = "bench-model";
pub(crate) const PLAIN: &str = "bench-plain";
pub(crate) const FIRST: &str = "bench-first";
pub(crate) const BURST: &str = "bench-burst";
pub(crate) const PACED: &str = "bench-paced";
pub(crate) const OPEN: &str = "bench-open";

/// Time between two chunks of a paced stream: 50 a second.
pub(crate) const PACE: Duration = Duration::from_millis(20);

/// A chat request of about `size` bytes.
pub(crate) fn chat(key: &str, mode: &str, size: usize) -> Vec<u8> {
    let stream = mode != PLAIN;
    let start = format!(
        r#"{{"model":"{MODEL}","user":"{mode}","stream":{stream},"max_tokens":256,"messages":[{{"role":"system","content":"You are a helpful assistant."}},{{"role":"user","content":""#
    );
    let filler = "The quick brown fox jumps over the lazy dog. ";
    let wanted = size.saturating_sub(start.len() + 4);
    let text: String = filler.chars().cycle().take(wanted).collect();
    post("/v1/chat/completions", key, &format!("{start}{text}\"}}]}}"))
}

/// A POST of JSON with a bearer.
pub(crate) fn post(path: &str, bearer: &str, body: &str) -> Vec<u8> {
    json("POST", path, bearer, body)
}

/// A PUT of JSON with a bearer.
pub(crate) fn put(path: &str, bearer: &str, body: &str) -> Vec<u8> {
    json("PUT", path, bearer, body)
}

fn json(method: &str, path: &str, bearer: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {bearer}\r\ncontent-type: application/json\r\naccept: */*\r\nuser-agent: tollgate-bench\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A GET with a bearer.
pub(crate) fn fetch(path: &str, bearer: &str) -> Vec<u8> {
    json("GET", path, bearer, "")
}

/// A GET without a body.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n\r\n").into_bytes()
}
