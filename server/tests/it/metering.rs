//! What stands in the books is what the vendor would bill, and every request stands there once.

use fakeup::{Behaviour, End, Then, Tokens, Usage};
use serde_json::{Value, json};

use crate::rig::client::Ask;
use crate::rig::faces::{ANTHROPIC, CHAT, FACES, GEMINI};
use crate::rig::{Rig, tokens};

const BILL: Tokens = Tokens {
    input: 1_234,
    output: 567,
    cache_read: 8_910,
    cache_write: 321,
    cache_write_1h: 21,
    reasoning: 111,
};

#[tokio::test]
async fn fault_u43_rows_hold_what_the_vendor_bills_in_every_dialect_and_chunking() {
    let rig = Rig::start().await;
    let mut count = 0;
    for face in FACES {
        for (streaming, ask) in face.both("m-bill") {
            for piece_bytes in [None, Some(1), Some(13), Some(4_096)] {
                rig.on_model("m-bill", Behaviour { piece_bytes, ..Behaviour::default().billing(BILL) });
                let mut ask = rig.keyed(ask.clone());
                ask = ask.without("x-request-id");
                let got = rig.ask(ask).await;
                assert_eq!(got.status, 200, "{}", got.text());
                let row = rig.row(got.header("x-request-id")).await;
                let billed = rig.upstream.invoice().last().unwrap().billed;
                assert_eq!(tokens(&row), billed, "{face:?} streaming {streaming} in {piece_bytes:?}: {row}");
                assert_eq!(row["estimated"], false, "{row}");
                count += 1;
            }
        }
    }
    // Rows, rollup and invoice are the same truth (INV-16).
    let rows = rig.rows(count).await;
    let billed: u64 = rig.upstream.invoice().iter().map(|entry| entry.billed.total()).sum();
    assert_eq!(rows.iter().map(|row| tokens(row).total()).sum::<u64>(), billed);
    let usage = rig.server.admin("GET", "/usage?by=key", &Value::Null).await;
    let line = &usage["items"][0];
    let rolled: u64 = ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"]
        .iter()
        .map(|name| line[name].as_u64().unwrap())
        .sum();
    assert_eq!(
        (rolled, line["requests"].as_u64().unwrap()),
        (billed, u64::try_from(count).unwrap()),
        "{usage}"
    );
}

#[tokio::test]
async fn compressed_answers_are_metered_too() {
    let rig = Rig::start().await;
    for coding in [fakeup::Coding::Gzip, fakeup::Coding::Br, fakeup::Coding::Zstd, fakeup::Coding::Zlib] {
        rig.on_model("m-coded", Behaviour::default().billing(BILL).coded(coding, None));
        for face in FACES {
            for (_, ask) in face.both("m-coded") {
                let id = ask.id.clone();
                assert_eq!(rig.ask(rig.keyed(ask)).await.status, 200);
                let billed = rig.upstream.invoice().last().unwrap().billed;
                assert_eq!(tokens(&rig.row(&id).await), billed, "{face:?} {coding:?}");
            }
        }
    }
}

#[tokio::test]
async fn fault_u40_missing_usage_is_estimated_and_says_so() {
    let rig = Rig::start().await;
    rig.on_model("m-silent", Behaviour { usage: Usage::Missing, ..Behaviour::saying("word ".repeat(200)) });
    for face in FACES {
        for (_, ask) in face.both("m-silent") {
            let id = ask.id.clone();
            assert_eq!(rig.ask(rig.keyed(ask)).await.status, 200);
            let row = rig.row(&id).await;
            assert_eq!((&row["estimated"], &row["outcome"]), (&json!(true), &json!("ok")), "{face:?}: {row}");
            // A thousand bytes of text are some 250 tokens; a factor of two either way is an estimate.
            let output = tokens(&row).output;
            assert!((125..=500).contains(&output), "{face:?}: {row}");
            assert!(tokens(&row).input > 0);
        }
    }
    // A chat stream whose caller did not ask for the usage is the usual case of this.
    let ask = Ask::post("/v1/chat/completions", r#"{"model":"m-1","stream":true,"messages":[]}"#);
    let id = ask.id.clone();
    assert_eq!(rig.ask(rig.keyed(ask)).await.status, 200);
    assert_eq!(rig.row(&id).await["estimated"], true);
}

#[tokio::test]
async fn fault_u41_absurd_usage_never_reaches_the_books() {
    let rig = Rig::start().await;
    for usage in [Usage::Negative, Usage::Text, Usage::Huge] {
        rig.on_model("m-absurd", Behaviour { usage, ..Behaviour::default() });
        for face in FACES {
            for (_, ask) in face.both("m-absurd") {
                let id = ask.id.clone();
                let got = rig.ask(rig.keyed(ask)).await;
                assert_eq!((got.status, got.whole), (200, true), "the answer itself is fine");
                let row = rig.row(&id).await;
                assert!(tokens(&row).total() <= 5 << 32, "{face:?} {usage:?}: {row}");
                if usage != Usage::Huge {
                    assert_eq!(row["estimated"], true, "{face:?} {usage:?}: {row}");
                }
            }
        }
    }
}

#[tokio::test]
async fn inv_01_every_request_ends_in_exactly_one_row() {
    let rig = Rig::start().await;
    let mut wanted = Vec::new();
    for face in FACES {
        rig.recover().await;
        rig.on_model("m-stall", Behaviour::cut(face.beyond_content(), Then::Stall));
        rig.on_model("m-eof", Behaviour::cut(face.beyond_content(), Then::Finish));
        for (model, outcome, status) in [
            ("m-1", "ok", 200),
            ("fake-500", "failed", 502),
            ("fake-429", "failed", 429),
            ("fake-400", "failed", 400),
            ("fake-html", "failed", 502),
            ("fake-no-answer", "failed", 502),
            ("m-eof", "broken", 200),
        ] {
            let ask = face.ask(model, true);
            wanted.push((ask.id.clone(), outcome, status));
            rig.ask(rig.keyed(ask)).await;
        }
        let ask = face.ask("m-1", true);
        wanted.push((ask.id.clone(), "refused", 401));
        rig.ask(ask).await;
        let ask = rig.keyed(Ask::post(&face.target("m-1", false), "{\"model\":"));
        wanted.push((ask.id.clone(), "refused", 400));
        rig.ask(ask).await;
        let ask = rig.keyed(Ask::post(&face.target("m-1", false), "x".repeat(2 << 20)));
        wanted.push((ask.id.clone(), "refused", 413));
        rig.ask(ask).await;
        let ask = face.ask("m-stall", true);
        wanted.push((ask.id.clone(), "client_gone", 200));
        drop(rig.open(rig.keyed(ask)).await);
    }
    let rows = rig.rows(wanted.len()).await;
    for (id, outcome, status) in wanted {
        let own: Vec<&Value> = rows.iter().filter(|row| row["client_request_id"] == id).collect();
        assert_eq!(own.len(), 1, "{id}: {own:?}");
        assert_eq!(
            (&own[0]["outcome"], &own[0]["status_code"]),
            (&json!(outcome), &json!(status)),
            "{}",
            own[0]
        );
    }
    // The books hold still: nothing more comes for these.
    assert_eq!(rig.rows(rows.len()).await.len(), rows.len());
}

#[tokio::test]
async fn us_06_failed_requests_cost_nothing_and_broken_ones_what_is_known() {
    let rig = Rig::start().await;
    for face in FACES {
        let ask = face.ask("fake-500", false);
        let id = ask.id.clone();
        rig.ask(rig.keyed(ask)).await;
        assert_eq!(tokens(&rig.row(&id).await).total(), 0);
    }
    // Anthropic says the input in its first event: it is known although the end never came.
    rig.on_model(
        "m-cut",
        Behaviour {
            cut: Some(fakeup::Cut { at: Some(900), then: Then::Close }),
            ..Behaviour::default().billing(BILL)
        },
    );
    let ask = ANTHROPIC.ask("m-cut", true);
    let id = ask.id.clone();
    rig.ask(rig.keyed(ask)).await;
    let row = rig.row(&id).await;
    assert_eq!((tokens(&row).input, tokens(&row).cache_read), (BILL.input, BILL.cache_read), "{row}");
    assert_eq!(row["estimated"], true, "{row}");
    assert_eq!(rig.ended(5).await.last().unwrap().end, End::BrokenOff);
    // Chat says nothing before its end: the row holds an estimate.
    let ask = CHAT.ask("m-cut", true);
    let id = ask.id.clone();
    rig.ask(rig.keyed(ask)).await;
    let row = rig.row(&id).await;
    assert!(tokens(&row).input > 0 && row["estimated"] == true, "{row}");
}

#[tokio::test]
async fn counting_tokens_costs_none() {
    let rig = Rig::start().await;
    for target in [
        "/v1/messages/count_tokens".to_owned(),
        GEMINI.target("m-1", false).replace("generateContent", "countTokens"),
    ] {
        let ask = Ask::post(&target, r#"{"model":"m-1","messages":[],"contents":[]}"#);
        let id = ask.id.clone();
        let got = rig.ask(rig.keyed(ask)).await;
        assert!(got.text().contains("42"), "{}", got.text());
        let row = rig.row(&id).await;
        assert_eq!((tokens(&row).total(), &row["estimated"]), (0, &json!(false)), "{row}");
    }
}
