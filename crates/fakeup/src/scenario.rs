//! Behaviours that a model's name chooses, so that a test can ask for them through any gateway.
//!
//! `fake-<status>` answers with that status; the other names are in [`NAMES`]. Every other model is answered well.

use crate::behaviour::{Agent, Behaviour, Coding, Cut, Framing, Then, ToolUse, Usage};

/// The names with a meaning, beside `fake-<status>`.
pub const NAMES: &[&str] = &[
    "fake-429-after",
    "fake-429-html",
    "fake-bad-usage",
    "fake-bomb",
    "fake-br",
    "fake-cookies",
    "fake-cut",
    "fake-deflate",
    "fake-empty",
    "fake-error-200",
    "fake-error-event",
    "fake-error-late",
    "fake-eof",
    "fake-gzip",
    "fake-gzip-bare",
    "fake-gzip-cut",
    "fake-html",
    "fake-late",
    "fake-length",
    "fake-long",
    "fake-no-answer",
    "fake-no-usage",
    "fake-redirect",
    "fake-reset",
    "fake-separators",
    "fake-slow",
    "fake-stall",
    "fake-stall-body",
    "fake-stall-head",
    "fake-thinking",
    "fake-tools",
    "fake-zstd",
];

/// The behaviour that a model's name asks for.
pub fn of_model(model: &str) -> Option<Behaviour> {
    let name = model.strip_prefix("fake-")?;
    if let Ok(status @ 300..=599) = name.parse() {
        return Some(Behaviour::status(status));
    }
    let plain = Behaviour::default();
    let coded = |coding, header| Behaviour::default().coded(coding, header);
    Some(match name {
        "429-after" => Behaviour::status(429).header("retry-after", "7"),
        "429-html" => Behaviour {
            status: Some(429),
            ..Behaviour::body("text/html", "<html><body><h1>429 Too Many Requests</h1></body></html>")
        },
        "bad-usage" => Behaviour { usage: Usage::Huge, ..plain },
        "bomb" => Behaviour { text: Some("0".repeat(6 * 1024 * 1024)), ..coded(Coding::Gzip, None) },
        "br" => coded(Coding::Br, None),
        "cookies" => plain
            .header("set-cookie", "session=upstream; Path=/")
            .header("connection", "keep-alive, x-private")
            .header("x-private", "1")
            .header("proxy-authenticate", "Basic")
            .header("server", "fake/1.0")
            .header("x-ratelimit-remaining-requests", "3"),
        "cut" => Behaviour { cut: Some(Cut { at: None, then: Then::Close }), ..plain },
        "deflate" => coded(Coding::Zlib, None),
        "empty" => Behaviour { body: Some(bytes::Bytes::new().into()), ..plain },
        "eof" => Behaviour { cut: Some(Cut { at: None, then: Then::Finish }), ..plain },
        "error-200" => Behaviour { error_in_success: true, ..plain },
        "error-event" => Behaviour { error_after: Some(0), ..plain },
        "error-late" => Behaviour { error_after: Some(2), ..plain },
        "gzip" => coded(Coding::Gzip, None),
        "gzip-bare" => coded(Coding::Gzip, Some("")),
        "gzip-cut" => {
            Behaviour { cut: Some(Cut { at: None, then: Then::Finish }), ..coded(Coding::Gzip, None) }
        }
        "html" => {
            Behaviour::body("text/html; charset=utf-8", "<!doctype html><title>Log in to continue</title>")
        }
        "late" => Behaviour { body_delay_ms: 2_000, ..plain },
        "length" => Behaviour { framing: Framing::LengthOff(64), ..plain },
        "long" => Behaviour { deltas: Some(1_000), ..plain },
        "no-answer" => Behaviour::instead(Then::Close),
        "no-usage" => Behaviour { usage: Usage::Missing, ..plain },
        "redirect" => Behaviour::status(307).header("location", "http://127.0.0.1:9/elsewhere"),
        "reset" => Behaviour { cut: Some(Cut { at: None, then: Then::Reset }), ..plain },
        "separators" => Behaviour::saying("one\u{2028}two\u{2029}three\u{85}four"),
        "slow" => Behaviour { deltas: Some(40), pace_ms: 50, ..plain },
        "stall" => Behaviour { cut: Some(Cut { at: None, then: Then::Stall }), ..plain },
        "stall-body" => Behaviour::cut(0, Then::Stall),
        "stall-head" => Behaviour::instead(Then::Stall),
        "thinking" => {
            let agent = Agent { thinking: Some("Let me see.".into()), ..Agent::default() };
            Behaviour { agent: Some(agent), ..plain }
        }
        "tools" => {
            let call = ToolUse { name: None, arguments: r#"{"city":"Paris","days":3}"#.into() };
            let agent = Agent { calls: vec![call], ..Agent::default() };
            Behaviour { agent: Some(agent), ..plain }
        }
        "zstd" => coded(Coding::Zstd, None),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_name_has_a_meaning() {
        for name in NAMES {
            assert!(of_model(name).is_some(), "{name}");
        }
        assert_eq!(of_model("fake-503").and_then(|b| b.status), Some(503));
        for other in ["gpt-5-mini", "fake-nonsense", "fake-42"] {
            assert!(of_model(other).is_none(), "{other}");
        }
    }
}
