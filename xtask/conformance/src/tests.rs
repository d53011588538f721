//! The floors, and that the matrix can fail at all.

use protocol::Dialect;
use serde_json::json;

use super::{below_floor, measured};
use crate::data::{Call, Exchange, Recorded};
use crate::report;
use crate::tally::{Half, Pair};

#[test]
fn no_pair_falls_below_its_floor_on_what_lies_in_the_repository() {
    let recorded = Recorded::vendored().unwrap();
    for dialect in Dialect::ALL {
        for streams in [true, false] {
            let of = |exchange: &&Exchange| exchange.dialect == *dialect && exchange.streams == streams;
            assert!(recorded.exchanges.iter().any(|exchange| of(&exchange)), "{dialect} {streams}");
        }
    }
    let tally = measured(&recorded);
    assert_eq!(below_floor(&tally), Vec::<String>::new(), "{}", report::misses(&tally, 20));
    for pair in Pair::all() {
        assert!(tally.whole(Half::Answers, pair).checked > 60, "{}", pair.name());
        assert!(tally.whole(Half::Requests, pair).checked > 40, "{}", pair.name());
    }
}

#[test]
fn no_pair_falls_below_its_floor_on_the_large_collection() {
    let recorded = Recorded::load().unwrap();
    if !recorded.whole {
        println!("SKIP: the large collection is not at hand");
        return;
    }
    let tally = measured(&recorded);
    assert_eq!(below_floor(&tally), Vec::<String>::new(), "{}", report::misses(&tally, 20));
    // A table of hardly anything would always be good.
    assert!(Pair::all().all(|pair| tally.whole(Half::Answers, pair).checked > 600));
    assert!(Pair::all().all(|pair| tally.whole(Half::Requests, pair).checked > 500));
}

#[test]
fn a_text_that_does_not_arrive_is_a_miss() {
    let chunk = |text: &str, stop: &str| {
        let delta = json!({ "content": text });
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": stop });
        format!("data: {}\n\n", json!({ "choices": [choice] }))
    };
    // The translation ends where the vendor says so; the naive reading goes on.
    let body = format!("{}data: [DONE]\n\n{}", chunk("a", "stop"), chunk("b", "stop"));
    let exchange = Exchange { id: "two".into(), dialect: Dialect::OpenAiChat, streams: true, body };
    let tally = measured(&Recorded { exchanges: vec![exchange], ..Recorded::default() });
    let fields: Vec<&str> = tally.misses.iter().map(|miss| miss.field.as_str()).collect();
    assert_eq!(fields, ["text"; 9], "{:?}", tally.misses);
    assert_eq!(below_floor(&tally).len(), 3);
}

#[test]
fn what_is_neither_carried_over_nor_named_is_a_miss() {
    let body =
        json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }], "temperature": "hot" });
    let call = Call { id: "bad".into(), dialect: Dialect::OpenAiChat, body, model: None, streams: None };
    let tally = measured(&Recorded { calls: vec![call], ..Recorded::default() });
    assert_eq!(tally.misses.len(), 3);
    assert!(tally.misses.iter().all(|miss| miss.half == Half::Requests));
}

#[test]
fn no_broken_bytes_bring_a_reader_down_or_fill_the_memory() {
    // More of it: TOLLGATE_FUZZ_ROUNDS, or `cargo xtask conformance --fuzz <number>`, which is optimised.
    #[expect(clippy::disallowed_methods, reason = "the environment of a test is its configuration")]
    let rounds =
        std::env::var("TOLLGATE_FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1500);
    crate::fuzz::run(&Recorded::load().unwrap(), rounds).unwrap();
}
