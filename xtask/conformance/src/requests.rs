//! Recorded and captured requests, translated to every other dialect and compared by naive readings.
//!
//! What the other dialect cannot say counts as right only where the losses name it.

mod tools;
mod turns;

use protocol::Dialect;
use protocol::neutral::{Loss, Weight};
use protocol::translate::{self, Target, read_request, write_request};
use serde_json::Value;

use crate::asked::{Asked, same_schema};
use crate::data::{Call, Recorded};
use crate::tally::{Half, Miss, Pair, Tally, Verdict};

/// What is checked of each request.
pub(crate) const FEATURES: &[&str] = &[
    "accepted",
    "system",
    "turns",
    "text",
    "media",
    "tools",
    "tool schemas",
    "tool calls",
    "tool results",
    "tool choice",
    "token limit",
    "sampling",
    "stop texts",
    "answer format",
    "vendor's own",
];

/// Checks everything.
pub(crate) fn check(recorded: &Recorded, tally: &mut Tally) {
    for call in &recorded.calls {
        for &vendor in Dialect::ALL.iter().filter(|vendor| **vendor != call.dialect) {
            one(call, vendor, tally);
        }
    }
}

/// Models that are asked in place of the recorded ones: what vendors offer today.
fn model(vendor: Dialect) -> &'static str {
    match vendor {
        Dialect::Anthropic => "claude-sonnet-4-5",
        Dialect::OpenAiChat | Dialect::OpenAiResponses => "gpt-4.1",
        Dialect::Gemini => "gemini-2.5-flash",
    }
}

fn one(call: &Call, vendor: Dialect, tally: &mut Tally) {
    let pair = Pair { caller: call.dialect, vendor };
    let path = translate::Call { model: call.model.as_deref(), stream: call.streams };
    let mut checking = Checking { id: &call.id, pair, losses: Vec::new(), tally };
    let request = match read_request(call.dialect, call.body.to_string().as_bytes(), path) {
        Ok(request) => request,
        Err(fault) => {
            return checking.field("accepted", Verdict::Wrong, "body", "a request".into(), fault.to_string());
        }
    };
    let written = write_request(&request, Target { dialect: vendor, model: model(vendor), max_output: None });
    checking.losses = written.losses.kept().to_vec();
    let body: Value = match serde_json::from_slice(&written.body) {
        Ok(body) => body,
        Err(error) => {
            return checking.field("accepted", Verdict::Wrong, "body", "JSON".into(), error.to_string());
        }
    };
    checking.field("accepted", Verdict::Right, "body", String::new(), String::new());
    let (wanted, got) = (Asked::read(call.dialect, &call.body), Asked::read(vendor, &body));
    settings(&mut checking, &wanted, &got);
    tools::compare(&mut checking, &wanted, &got, &body);
    turns::compare(&mut checking, wanted, got);
}

struct Checking<'a> {
    id: &'a str,
    pair: Pair,
    losses: Vec<Loss>,
    tally: &'a mut Tally,
}

impl Checking<'_> {
    fn field(&mut self, feature: &'static str, verdict: Verdict, at: &str, wanted: String, got: String) {
        self.tally.count(Half::Requests, self.pair, feature, verdict);
        if verdict == Verdict::Wrong {
            let field = format!("{feature} {at}");
            let (half, pair, id) = (Half::Requests, self.pair, self.id.to_owned());
            self.tally.misses.push(Miss { half, pair, id, field, wanted, got });
        }
    }

    /// Whether a loss names this path, something around it, or something that matters in it. The name of the whole
    /// conversation is no name.
    fn lists(&self, at: &str) -> bool {
        let within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.losses.iter().any(|loss| {
            let field = loss.field.as_str();
            let all = ["messages", "input", "contents"].contains(&field) && at != field;
            (within(at, field) && !all) || (loss.weight == Weight::Meaning && within(field, at))
        })
    }

    /// The verdict on something that stands at a path of the caller's body.
    fn verdict(&self, right: bool, at: &str) -> Verdict {
        match (right, self.lists(at)) {
            (true, _) => Verdict::Right,
            (false, true) => Verdict::Listed,
            (false, false) => Verdict::Wrong,
        }
    }

    /// Whether a loss names a setting by one of its words, in whatever spelling.
    fn lists_word(&self, words: &[&str]) -> bool {
        self.losses.iter().any(|loss| {
            let field = loss.field.replace('_', "").to_ascii_lowercase();
            words.iter().any(|word| field.contains(word))
        })
    }

    /// Compares a setting that the caller gave.
    fn setting(&mut self, feature: &'static str, right: bool, words: &[&str], shown: (String, String)) {
        let verdict = match (right, self.lists_word(words)) {
            (true, _) => Verdict::Right,
            (false, true) => Verdict::Listed,
            (false, false) => Verdict::Wrong,
        };
        self.field(feature, verdict, words.first().unwrap_or(&""), shown.0, shown.1);
    }
}

fn settings(checking: &mut Checking<'_>, wanted: &Asked, got: &Asked) {
    fn shown<T: std::fmt::Debug>(one: &T, other: &T) -> (String, String) {
        (format!("{one:?}"), format!("{other:?}"))
    }
    if wanted.max_tokens.is_some_and(|most| most > 0) {
        let right = wanted.max_tokens == got.max_tokens;
        checking.setting("token limit", right, &["max"], shown(&wanted.max_tokens, &got.max_tokens));
    }
    for (word, wanted, got) in
        [("temperature", wanted.temperature, got.temperature), ("topp", wanted.top_p, got.top_p)]
    {
        let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
        let Some(number) = wanted else { continue };
        // One is what every vendor does unasked.
        let right = got.map_or_else(|| near(number, 1.0), |got| near(number, got));
        checking.setting("sampling", right, &[word], shown(&wanted, &got));
    }
    if !wanted.stop.is_empty() {
        checking.setting("stop texts", wanted.stop == got.stop, &["stop"], shown(&wanted.stop, &got.stop));
    }
    if let Some(format) = &wanted.format {
        // Anthropic wants every object closed; a closed one is one of those that were asked for.
        let right = got.format.as_ref().is_some_and(|got| same_schema(&opened(format), &opened(got)));
        let words = ["format", "schema", "mime", "outputconfig"];
        checking.setting("answer format", right, &words, shown(&wanted.format, &got.format));
    }
    if wanted.choice.is_some() {
        let words = ["toolchoice", "toolconfig"];
        let right = wanted.choice == got.choice || tools::narrowed(wanted, got);
        checking.setting("tool choice", right, &words, shown(&wanted.choice, &got.choice));
    }
}

/// A schema whose objects are not closed.
fn opened(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let closes = |name: &str, value: &Value| name == "additionalProperties" && *value == false;
            let fields = map.iter().filter(|(name, value)| !closes(name, value));
            Value::Object(fields.map(|(name, value)| (name.clone(), opened(value))).collect())
        }
        Value::Array(list) => list.iter().map(opened).collect(),
        other => other.clone(),
    }
}
