//! Upstreams that talk nonsense in a dialect that is not the caller's: nothing crashes, the caller gets a good answer or
//! an error, and the books say what they would have said to a caller of the upstream's own dialect.

use fakeup::{Behaviour, Rule, Usage};
use serde_json::{Value, json};

use super::pairs;
use crate::rig::faces::Face;
use crate::rig::{Rig, tokens};

/// The events of a good stream, each with its blank line.
async fn good(rig: &Rig, to: Face) -> Vec<String> {
    let whole = rig.ask(rig.keyed(to.ask("m-1", true))).await.text();
    whole.split_inclusive("\n\n").map(str::to_owned).collect()
}

/// What can be wrong with a stream, and whether it still says all that matters.
fn wrongs(good: &[String]) -> Vec<(&'static str, Vec<String>, bool)> {
    let (first, last) = (&good[0], &good[good.len() - 1]);
    let kind = |event: &str| event.lines().next().unwrap_or_default().starts_with("event:");
    let named = kind(first);
    let strange =
        if named { "event: weather\ndata: {\"type\":\"weather\"}\n\n" } else { "data: {\"weather\":1}\n\n" };
    let with = |extra: Vec<String>| -> Vec<String> {
        good.iter().flat_map(|event| [vec![event.clone()], extra.clone()].concat()).collect()
    };
    vec![
        ("a second start", [std::slice::from_ref(first), good].concat(), true),
        ("a second end", [good, std::slice::from_ref(last)].concat(), true),
        ("strange events", with(vec![strange.to_owned()]), true),
        (
            "comments and empty events",
            with(vec![": ping\n\n".into(), "\n\n".into(), "event: x\n\n".into()]),
            true,
        ),
        ("no start", good[1..].to_vec(), true),
        ("no end", good[..good.len() - 1].to_vec(), false),
        (
            "no JSON",
            [&good[..good.len() / 2], &["data: {\"a\":\n\n".to_owned()], &good[good.len() / 2..]].concat(),
            false,
        ),
    ]
}

#[tokio::test]
async fn fault_u19_odd_streams_are_understood_or_end_in_an_error_and_are_billed_alike() {
    for (from, to) in pairs() {
        let rig = Rig::speaking(to).await;
        let good = good(&rig, to).await;
        for (what, events, whole) in wrongs(&good) {
            rig.upstream.forget();
            rig.recover().await;
            rig.upstream.script(Rule::always(Behaviour::body("text/event-stream", events.concat())));
            let own = to.ask("m-1", true);
            let own_id = own.id.clone();
            rig.ask(rig.keyed(own)).await;
            let own = rig.row(&own_id).await;
            rig.recover().await;
            let (got, row) = rig.translated(from.ask("m-1", true)).await;
            let what = format!("{what}: {} from {}: {} {row}", from.name, to.name, got.text());
            let ended = got.text().contains(from.end);
            let failed = got.status >= 400 || got.text().contains(from.error_event);
            assert!(ended != failed, "a good end or an error, never both or none: {what}");
            // The usage is the vendor's wherever it came through; a guess goes by the request's own length.
            if row["estimated"] == false && own["estimated"] == false {
                assert_eq!(tokens(&row), tokens(&own), "{what}");
            }
            if whole && to.name != "openai-chat" && to.name != "gemini" {
                assert!(ended, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn fault_u40_u41_lies_about_usage_reach_neither_the_books_nor_the_caller() {
    for (from, to) in pairs() {
        let rig = Rig::speaking(to).await;
        for usage in [Usage::Missing, Usage::Negative, Usage::Text, Usage::Huge] {
            rig.on_model("m-lies", Behaviour { usage, ..Behaviour::saying("word ".repeat(200)) });
            for (streaming, ask) in from.both("m-lies") {
                let (got, row) = rig.translated(ask).await;
                let what = format!("{} from {} {usage:?} (stream {streaming}): {row}", from.name, to.name);
                assert_eq!((got.status, got.whole, &row["outcome"]), (200, true, &json!("ok")), "{what}");
                assert!(tokens(&row).total() <= 5 << 32, "{what}");
                assert!(!got.text().contains("1000000000000000000"), "{what}: {}", got.text());
                assert!(!got.text().contains(":-"), "no negative count: {what}: {}", got.text());
                if usage != Usage::Huge {
                    assert_eq!(row["estimated"], Value::Bool(true), "{what}");
                    assert!((125..=500).contains(&tokens(&row).output), "{what}");
                }
            }
        }
    }
}
