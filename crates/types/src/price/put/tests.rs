//! Reading an entered price: everything known is taken, everything else is named.

use serde_json::json;

use super::*;
use crate::price::{LongContext, Rates};

fn rates(first: i64) -> Rates {
    let mut next = first;
    let mut amount = || {
        next += 1;
        Money::from_nano(next)
    };
    Rates {
        input_per_million_usd: amount(),
        output_per_million_usd: amount(),
        cache_read_per_million_usd: amount(),
        cache_write_5m_per_million_usd: amount(),
        cache_write_1h_per_million_usd: amount(),
        reasoning_per_million_usd: amount(),
        audio_input_per_million_usd: amount(),
        audio_output_per_million_usd: amount(),
        image_input_per_million_usd: amount(),
        image_output_per_million_usd: amount(),
    }
}

/// Every field set, none of them alike.
fn full() -> PriceSpec {
    PriceSpec {
        rates: rates(100),
        long_context: vec![
            LongContext {
                above_input_tokens: 200_000,
                rates: rates(200),
                priority: Some(rates(600)),
                flex: Some(rates(700)),
                batch: Some(rates(800)),
            },
            LongContext { above_input_tokens: 400_000, ..LongContext::default() },
        ],
        priority: Some(rates(300)),
        flex: Some(rates(400)),
        batch: Some(rates(500)),
        per_request_usd: Money::from_nano(1),
        per_image_usd: Money::from_nano(2),
        web_search_per_call_usd: Money::from_nano(3),
        max_input_tokens: Some(7),
        max_output_tokens: Some(8),
        free: false,
    }
}

fn put(value: Value) -> PutPrice {
    serde_json::from_value(value).unwrap()
}

#[test]
fn every_field_of_a_price_is_known_and_survives() {
    let spec = full();
    let text =
        serde_json::to_string(&PutPrice { spec: spec.clone(), version: Some(4), ..PutPrice::default() });
    let read: PutPrice = serde_json::from_str(&text.unwrap()).unwrap();
    assert_eq!((read.version, &read.faults), (Some(4), &BTreeMap::new()));
    assert_eq!(read.parse("m").unwrap(), spec);
    let free = put(json!({ "free": true }));
    assert!(free.parse("m").unwrap().free);
}

#[test]
fn a_stored_price_reads_back_the_same() {
    let text = serde_json::to_string(&full()).unwrap();
    assert_eq!(serde_json::from_str::<PriceSpec>(&text).unwrap(), full());
}

#[test]
fn unknown_names_are_refused_by_name_at_every_depth() {
    for (value, field) in [
        (json!({ "input_per_milion_usd": "1" }), "input_per_milion_usd"),
        (json!({ "input_per_million_usd": "1", "priority": { "input": "1" } }), "priority.input"),
        (json!({ "flex": { "above_input_tokens": 5 } }), "flex.above_input_tokens"),
        (
            json!({ "long_context": [{ "above_input_tokens": 5 }, { "above_input_tokens": 6, "output": 1 }] }),
            "long_context[1].output",
        ),
        (
            json!({ "long_context": [{ "above_input_tokens": 5, "flex": { "x": 1 } }] }),
            "long_context[0].flex.x",
        ),
        (json!({ "rates": {} }), "rates"),
    ] {
        let problem = put(value).parse("m").unwrap_err();
        assert_eq!(problem.fields.get(field).map(String::as_str), Some("unknown field"), "{problem}");
        assert_eq!(problem.fields.len(), 1, "{problem}");
    }
}

#[test]
fn nonsense_is_refused_by_name_all_at_once() {
    let problem = put(json!({
        "input_per_million_usd": "NaN", "output_per_million_usd": -1, "cache_read_per_million_usd": [1],
        "per_request_usd": "0.0000000001", "per_image_usd": 1e300, "max_input_tokens": -5, "max_output_tokens": 1.5,
        "free": "yes", "version": "x", "batch": [], "long_context": [{ "input_per_million_usd": "-1" }, 5],
        "priority": { "audio_input_per_million_usd": true }
    }))
    .parse("m")
    .unwrap_err();
    let fields: Vec<&str> = problem.fields.keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        [
            "batch",
            "cache_read_per_million_usd",
            "free",
            "input_per_million_usd",
            "long_context[0].above_input_tokens",
            "long_context[0].input_per_million_usd",
            "long_context[1]",
            "max_input_tokens",
            "max_output_tokens",
            "output_per_million_usd",
            "per_image_usd",
            "per_request_usd",
            "priority.audio_input_per_million_usd",
            "version",
        ]
    );
    assert_eq!(problem.fields["output_per_million_usd"], "must not be negative");
}

#[test]
fn a_name_given_twice_is_refused() {
    let text = r#"{"input_per_million_usd":"1","input_per_million_usd":"2"}"#;
    let problem = serde_json::from_str::<PutPrice>(text).unwrap().parse("m").unwrap_err();
    assert_eq!(problem.fields["input_per_million_usd"], "given twice");
    assert!(serde_json::from_str::<PutPrice>("[]").is_err());
}

#[test]
fn null_means_absent() {
    let read = put(json!({
        "input_per_million_usd": 3, "output_per_million_usd": null, "priority": null, "version": null, "free": null,
        "flex": { "input_per_million_usd": null }
    }));
    let spec = read.parse("m").unwrap();
    assert_eq!(spec.rates.input_per_million_usd, "3".parse().ok());
    assert_eq!((spec.priority, spec.flex, read.version), (None, Some(Rates::default()), None));
    // Nothing at all is no price.
    assert!(put(json!({})).parse("m").unwrap_err().fields.contains_key("input_per_million_usd"));
}
