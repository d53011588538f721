//! Recorded answers, translated to every other dialect and read back naively.

use std::sync::Arc;

use protocol::Dialect;
use protocol::neutral::Request;
use protocol::translate::{
    self, Back, Framing, Stream, Target, read_answer, read_request, write_answer, write_events, write_request,
};
use serde_json::{Value, json};

use crate::data::{Call, Exchange, Recorded};
use crate::said::Said;
use crate::tally::{Half, Miss, Pair, Tally, Verdict};

/// What is checked of each answer.
pub(crate) const FEATURES: &[&str] = &[
    "text",
    "thinking",
    "tool names",
    "tool arguments",
    "tool ids",
    "stop",
    "input tokens",
    "cached tokens",
    "output tokens",
    "order and end",
];

/// Checks everything.
pub(crate) fn check(recorded: &Recorded, tally: &mut Tally) {
    for exchange in &recorded.exchanges {
        let call = recorded.calls.iter().find(|call| call.id == exchange.id);
        for &caller in Dialect::ALL.iter().filter(|caller| **caller != exchange.dialect) {
            one(exchange, call, caller, tally);
        }
    }
}

fn one(exchange: &Exchange, call: Option<&Call>, caller: Dialect, tally: &mut Tally) {
    let back = Arc::new(back(exchange.dialect, call, caller, exchange.streams));
    let pair = Pair { caller, vendor: exchange.dialect };
    let mut checking = Checking { exchange, pair, tally };
    let body = exchange.body.as_bytes();
    if exchange.streams {
        let wanted = Said::stream(exchange.dialect, &exchange.body);
        for size in [1, 7, body.len().max(1)] {
            let how = if size == body.len() { "in one piece".into() } else { format!("in pieces of {size}") };
            checking.stream(&wanted, &back, body.chunks(size), &how);
        }
        return;
    }
    let wanted = Said::whole(exchange.dialect, &exchange.body);
    if wanted.failed {
        return;
    }
    match read_answer(&back, body) {
        Err(fault) => checking.fault("whole", &fault.to_string()),
        Ok(answer) => {
            let written = String::from_utf8_lossy(&write_answer(&answer, &back)).into_owned();
            checking.compare(&wanted, Said::whole(caller, &written), "whole");
            let mut written = Vec::new();
            write_events(answer, &back, Framing::Events, &mut written);
            let written = String::from_utf8_lossy(&written).into_owned();
            checking.compare(&wanted, Said::stream(caller, &written), "whole, as events");
        }
    }
}

struct Checking<'a> {
    exchange: &'a Exchange,
    pair: Pair,
    tally: &'a mut Tally,
}

impl Checking<'_> {
    fn stream<'a>(
        &mut self,
        wanted: &Said,
        back: &Arc<Back>,
        pieces: impl Iterator<Item = &'a [u8]>,
        how: &str,
    ) {
        let (mut stream, mut out) = (Stream::new(back.clone()), Vec::new());
        for piece in pieces {
            if let Err(fault) = stream.feed(piece, &mut out) {
                return self.fault(how, &fault.to_string());
            }
        }
        stream.finish(&mut out);
        let got = Said::stream(self.pair.caller, &String::from_utf8_lossy(&out));
        if wanted.failed || !wanted.over {
            // A stream that broke or was left must not look like one that ended.
            let right = !stream.ended() && stream.failed().is_some() == wanted.failed;
            let end = |said: &str| said.to_owned();
            self.field("order and end", right, how, || {
                (end("no end"), end("an end, or no word of the failure"))
            });
            return;
        }
        self.compare(wanted, got, how);
    }

    fn compare(&mut self, wanted: &Said, got: Said, how: &str) {
        let wanted = wanted.clone().for_caller(self.pair.caller);
        let got = got.for_caller(self.pair.caller);
        let words = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        // What neither has is nothing to be right about.
        for (feature, wanted, got) in
            [("text", &wanted.text, &got.text), ("thinking", &wanted.thinking, &got.thinking)]
        {
            if !wanted.is_empty() || !got.is_empty() {
                self.field(feature, wanted == got, how, || words(wanted, got));
            }
        }
        let list = |said: &Said, of: fn(&crate::said::Called) -> String| {
            said.calls.iter().map(of).collect::<Vec<_>>().join(" ")
        };
        let calls = |feature, of: fn(&crate::said::Called) -> String, this: &mut Self| {
            let (wanted, got) = (list(&wanted, of), list(&got, of));
            this.field(feature, wanted == got, how, || (wanted.clone(), got.clone()));
        };
        if !wanted.calls.is_empty() || !got.calls.is_empty() {
            calls("tool names", |call| call.name.clone(), self);
            calls("tool arguments", |call| call.arguments.to_string(), self);
            let right = same_ids(&wanted, &got);
            self.field("tool ids", right, how, || {
                (list(&wanted, |call| call.id.clone()), list(&got, |call| call.id.clone()))
            });
        }
        self.field("stop", wanted.end == got.end, how, || {
            (format!("{:?}", wanted.end), format!("{:?}", got.end))
        });
        for (feature, wanted, got) in [
            ("input tokens", wanted.input, got.input),
            ("cached tokens", wanted.cached, got.cached),
            ("output tokens", wanted.output, got.output),
        ] {
            if feature != "cached tokens" || wanted != 0 || got != 0 {
                self.field(feature, wanted == got, how, || (wanted.to_string(), got.to_string()));
            }
        }
        self.field("order and end", got.over && got.broken.is_empty(), how, || {
            ("in order, with an end".into(), format!("end: {}, {}", got.over, got.broken.join("; ")))
        });
    }

    fn field(
        &mut self,
        feature: &'static str,
        right: bool,
        how: &str,
        words: impl FnOnce() -> (String, String),
    ) {
        let verdict = if right { Verdict::Right } else { Verdict::Wrong };
        self.tally.count(Half::Answers, self.pair, feature, verdict);
        if !right {
            let (wanted, got) = words();
            let id = format!("{}, {how}", self.exchange.id);
            let (half, pair, field) = (Half::Answers, self.pair, feature.to_owned());
            self.tally.misses.push(Miss { half, pair, id, field, wanted, got });
        }
    }

    /// An answer that could not be translated is wrong in everything.
    fn fault(&mut self, how: &str, fault: &str) {
        for feature in FEATURES {
            self.field(feature, false, how, || ("an answer".into(), fault.to_owned()));
        }
    }
}

/// Ids that every dialect can hold stay; others and missing ones become some, each its own.
fn same_ids(wanted: &Said, got: &Said) -> bool {
    let plain = |id: &str| {
        !id.is_empty()
            && id.len() <= 64
            && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    };
    wanted.calls.len() == got.calls.len()
        && wanted.calls.iter().zip(&got.calls).enumerate().all(|(place, (wanted, call))| {
            let again = got.calls.iter().take(place).any(|other| other.id == call.id);
            if plain(&wanted.id) { wanted.id == call.id } else { !call.id.is_empty() && !again }
        })
}

/// What the way back knows, had the caller asked the same in its own dialect.
pub(crate) fn back(vendor: Dialect, call: Option<&Call>, caller: Dialect, streams: bool) -> Back {
    let asked = call.and_then(|call| translated(call, caller)).or_else(|| plain(caller, streams));
    let mut request = asked.unwrap_or_else(|| Request::new(caller, "m", streams));
    // Somebody who wants to know everything.
    request.include_usage = true;
    request.reasoning.get_or_insert_default().shown = Some(true);
    let written = write_request(&request, Target { dialect: vendor, model: "m", max_output: None });
    Back {
        request: Arc::new(request),
        upstream: vendor,
        names: written.names,
        ids: "t1".into(),
        created: 1_700_000_000,
        sealer: None,
    }
}

/// A recorded request as a caller of another dialect would have sent it.
fn translated(call: &Call, caller: Dialect) -> Option<Request> {
    let path = translate::Call { model: call.model.as_deref(), stream: call.streams };
    let request = read_request(call.dialect, call.body.to_string().as_bytes(), path).ok()?;
    let written = write_request(&request, Target { dialect: caller, model: "m", max_output: None });
    let path = translate::Call { model: Some("m"), stream: Some(request.stream) };
    read_request(caller, &written.body, path).ok()
}

fn plain(caller: Dialect, streams: bool) -> Option<Request> {
    let body: Value = match caller {
        Dialect::Anthropic | Dialect::OpenAiChat => json!({
            "model": "m", "max_tokens": 100, "stream": streams, "messages": [{ "role": "user", "content": "hi" }],
        }),
        Dialect::OpenAiResponses => json!({ "model": "m", "input": "hi", "stream": streams }),
        Dialect::Gemini => json!({ "contents": [{ "role": "user", "parts": [{ "text": "hi" }] }] }),
    };
    let path = translate::Call { model: Some("m"), stream: Some(streams) };
    read_request(caller, body.to_string().as_bytes(), path).ok()
}
