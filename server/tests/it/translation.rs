//! Any client to any provider, through the public routes and over real sockets: what the caller gets, what the upstream
//! was asked, what the books say of it.

mod bad_input;
mod broken;
mod compacting;
mod conversations;
mod counts;
mod faults;
mod nonsense;
mod oracle;
mod policy;

use fakeup::{Behaviour, Call, Rule};
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::rig::client::{Ask, Got};
use crate::rig::faces::{ANTHROPIC, CHAT, FACES, Face, GEMINI, RESPONSES};
use oracle::said;

/// All pairs of a caller's dialect and another one of an upstream.
fn pairs() -> impl Iterator<Item = (Face, Face)> {
    FACES
        .into_iter()
        .flat_map(|from| FACES.into_iter().filter(move |to| *to != from).map(move |to| (from, to)))
}

/// What the fake vendor was asked for.
fn call_of(face: Face, streaming: bool) -> Call {
    match face.name {
        "anthropic" => Call::Messages,
        "openai-chat" => Call::Chat,
        "openai-responses" => Call::Responses,
        _ if streaming => Call::GeminiStream,
        _ => Call::GeminiGenerate,
    }
}

impl Rig {
    /// With one upstream that speaks one dialect and names its models.
    pub(crate) async fn speaking(face: Face) -> Self {
        let rig = Self::bare().await;
        rig.upstream_speaking(face, json!({})).await;
        rig
    }

    async fn upstream_speaking(&self, face: Face, more: Value) -> i64 {
        let mut spec = json!({"models": ["m-*", "fake-*"], "dialects": [face.name]});
        for (name, value) in more.as_object().unwrap() {
            spec[name] = value.clone();
        }
        self.provider(face.kind, spec).await
    }

    /// Asks with the rig's key and waits for the row.
    async fn translated(&self, ask: Ask) -> (Got, Value) {
        let id = ask.id.clone();
        let got = self.ask(self.keyed(ask)).await;
        (got, self.row(&id).await)
    }
}

#[tokio::test]
async fn inv_20_every_dialect_gets_the_text_and_the_counts_of_every_other() {
    for (from, to) in pairs() {
        let rig = Rig::speaking(to).await;
        for (streaming, ask) in from.both("m-1") {
            rig.upstream.clear_invoice();
            let what = format!("{} from {} (stream {streaming})", from.name, to.name);
            let (got, row) = rig.translated(ask).await;
            assert_eq!((got.status, got.whole), (200, true), "{what}: {}", got.text());
            let entry = rig.ended(1).await.remove(0);
            assert_eq!(entry.request.call(), call_of(to, streaming), "{what}");
            let answer = said(from, &got, streaming);
            assert_eq!(answer.text, "Hello from the fake upstream: all is well.", "{what}");
            assert_eq!(answer.stop, "end", "{what}");
            let billed = entry.billed;
            assert_eq!(answer.input, billed.input + billed.cache_read + billed.cache_write, "{what}");
            assert_eq!(answer.output, billed.output, "{what}");
            assert_eq!(crate::rig::tokens(&row), billed, "{what}: {row}");
            assert_eq!((&row["dialect"], &row["upstream_dialect"]), (&json!(from.name), &json!(to.name)));
            assert_eq!(row["attempts"][0]["translation"]["dialect"], to.name, "{row}");
            assert_eq!(got.header("x-tollgate-upstream-dialect"), to.name, "{what}");
            assert_eq!(got.text().contains(from.end), streaming || from == GEMINI, "{what}: {}", got.text());
            let kind = if streaming { "text/event-stream" } else { "application/json" };
            assert!(got.header("content-type").starts_with(kind), "{what}: {}", got.header("content-type"));
            let shown = from != GEMINI && got.text().contains("FakeUpstream");
            assert!(!shown, "{what}: ids are ours");
        }
    }
}

#[tokio::test]
async fn any_split_of_the_upstreams_bytes_gives_the_same_answer() {
    for (from, to) in pairs() {
        let rig = Rig::speaking(to).await;
        let mut answers = Vec::new();
        for bytes in [1, 7, 100_000] {
            rig.upstream.forget();
            let behaviour =
                Behaviour { piece_bytes: Some(bytes), ..fakeup::scenario::of_model("fake-tools").unwrap() };
            rig.upstream.script(Rule::always(behaviour));
            let (got, _) = rig.translated(conversations::with_tool(from, "m-1", true)).await;
            assert_eq!((got.status, got.whole), (200, true), "{from:?} {to:?}: {}", got.text());
            let mut answer = said(from, &got, true);
            // Ids that are made up hold the request's.
            answer.calls.iter_mut().for_each(|(id, ..)| id.clear());
            answers.push(answer);
        }
        assert_eq!(answers[0].calls.len(), 1, "{from:?} {to:?}: {:?}", answers[0]);
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{from:?} {to:?}: {answers:#?}");
    }
}

#[tokio::test]
async fn a_stream_that_is_answered_whole_is_a_stream_for_its_caller() {
    for (from, to) in pairs() {
        let rig = Rig::speaking(to).await;
        // What the same vendor would have said had nobody asked for a stream.
        let whole = rig.ask(rig.keyed(to.ask("m-1", false))).await;
        rig.upstream.script(Rule::always(Behaviour::body("application/json", whole.body)));
        let (got, _) = rig.translated(from.ask("m-1", true)).await;
        assert_eq!((got.status, got.whole), (200, true), "{from:?} {to:?}: {}", got.text());
        assert_eq!(said(from, &got, true).text, "Hello from the fake upstream: all is well.");
        assert!(got.text().contains(from.end), "{from:?} {to:?}: {}", got.text());
    }
}

#[tokio::test]
async fn gemini_callers_without_events_get_a_growing_array() {
    for to in [ANTHROPIC, CHAT, RESPONSES] {
        let rig = Rig::speaking(to).await;
        let mut ask = GEMINI.ask("m-1", true);
        ask.target = ask.target.replace("?alt=sse", "");
        let (got, _) = rig.translated(ask).await;
        assert_eq!(got.status, 200, "{}", got.text());
        let parts = got.json();
        let text: String = parts
            .as_array()
            .unwrap_or_else(|| panic!("{parts}"))
            .iter()
            .filter_map(|chunk| chunk.pointer("/candidates/0/content/parts/0/text")?.as_str())
            .collect();
        assert_eq!(text, "Hello from the fake upstream: all is well.", "{parts}");
        assert!(got.header("content-type").starts_with("application/json"));
    }
}
