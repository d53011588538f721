//! Reading price lists, sensible and not.

use proptest::prelude::*;
use serde_json::json;

use super::entry::MAX_FIELDS;
use super::*;

fn usd(text: &str) -> Option<Money> {
    text.parse().ok()
}

/// The price of a list's only entry.
fn price(entry: &serde_json::Value) -> PriceSpec {
    let list = read(&json!({ "m": entry }).to_string()).unwrap();
    assert_eq!(list.invalid, []);
    list.prices.into_iter().next().unwrap().1
}

/// Why a list's only entry is invalid.
fn reason(entry: &str) -> String {
    let list = read(&format!("{{\"m\":{entry}}}")).unwrap();
    assert_eq!(list.prices, []);
    list.invalid.into_iter().next().unwrap_or_else(|| panic!("{entry} is valid")).reason
}

#[test]
fn us_every_class_and_tier_of_a_list_is_read_exactly() {
    let spec = price(&json!({
        "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05, "cache_read_input_token_cost": 3e-07,
        "cache_creation_input_token_cost": 3.75e-06, "cache_creation_input_token_cost_above_1hr": 6e-06,
        "output_cost_per_reasoning_token": 2e-05, "input_cost_per_audio_token": 0.00004,
        "output_cost_per_audio_token": 0.00008, "input_cost_per_image_token": 1e-5, "output_cost_per_image_token": 4e-5,
        "input_cost_per_token_above_200k_tokens": 6e-06, "output_cost_per_token_above_200k_tokens": 2.25e-05,
        "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 1.2e-05,
        "input_cost_per_token_priority": 6e-06, "input_cost_per_token_above_200k_tokens_priority": 1.3e-05,
        "output_cost_per_token_flex": 7.5e-06, "input_cost_per_token_batches": 1.5e-06,
        "input_cost_per_request": 0.005, "max_input_tokens": 200_000, "max_output_tokens": 64000.0, "max_tokens": 1,
        "search_context_cost_per_query": {"search_context_size_low": 0.01, "search_context_size_high": 0.03},
        "mode": "chat", "supports_vision": true, "source": "https://x", "input_cost_per_second": "whatever"
    }));
    let rates = &spec.rates;
    assert_eq!(rates.input_per_million_usd, usd("3"));
    assert_eq!(rates.output_per_million_usd, usd("15"));
    assert_eq!(rates.cache_read_per_million_usd, usd("0.3"));
    assert_eq!(rates.cache_write_5m_per_million_usd, usd("3.75"));
    assert_eq!(rates.cache_write_1h_per_million_usd, usd("6"));
    assert_eq!(rates.reasoning_per_million_usd, usd("20"));
    assert_eq!(
        (rates.audio_input_per_million_usd, rates.audio_output_per_million_usd),
        (usd("40"), usd("80"))
    );
    assert_eq!(
        (rates.image_input_per_million_usd, rates.image_output_per_million_usd),
        (usd("10"), usd("40"))
    );
    let long = &spec.long_context[0];
    assert_eq!((spec.long_context.len(), long.above_input_tokens), (1, 200_000));
    assert_eq!(long.rates.input_per_million_usd, usd("6"));
    assert_eq!(long.rates.cache_write_1h_per_million_usd, usd("12"));
    // Stated, worked out from flex's ratio, worked out from batch's.
    let own = |rates: &Option<types::price::Rates>| rates.clone().unwrap();
    assert_eq!(own(&long.priority).input_per_million_usd, usd("13"));
    assert_eq!(own(&long.flex).output_per_million_usd, usd("11.25"));
    assert_eq!(own(&long.batch).input_per_million_usd, usd("3"));
    assert_eq!(own(&spec.priority).input_per_million_usd, usd("6"));
    assert_eq!(own(&spec.flex).output_per_million_usd, usd("7.5"));
    assert_eq!((spec.per_request_usd, spec.web_search_per_call_usd), (usd("0.005"), usd("0.03")));
    assert_eq!((spec.max_input_tokens, spec.max_output_tokens), (Some(200_000), Some(64_000)));
}

#[test]
fn a_dearer_tier_carries_its_parts_along_and_a_part_of_the_same_price_is_none() {
    let spec = price(&json!({
        "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "output_cost_per_reasoning_token": 2e-6,
        "cache_read_input_token_cost": 1e-7, "input_cost_per_audio_token": 3e-6,
        "input_cost_per_token_priority": 2e-6, "output_cost_per_token_priority": 4e-6,
        "input_cost_per_token_flex": 5e-7, "output_cost_per_token_flex": 1e-6
    }));
    // With a price of its own, reasoning would cost the usual price in every tier.
    assert_eq!(spec.rates.reasoning_per_million_usd, None);
    let priority = spec.priority.unwrap();
    assert_eq!(
        (priority.cache_read_per_million_usd, priority.audio_input_per_million_usd),
        (usd("0.2"), usd("6"))
    );
    // A cheaper tier may leave them as they are.
    assert_eq!(spec.flex.unwrap().cache_read_per_million_usd, None);
}

#[test]
fn other_ways_of_stating_prices_are_understood() {
    let fast = price(&json!({
        "input_cost_per_token": 4e-6, "output_cost_per_token": 2e-5, "provider_specific_entry": {"us": 1.1, "fast": 2.0}
    }));
    assert_eq!(fast.priority.unwrap().output_per_million_usd, usd("40"));
    let tiered = price(&json!({ "mode": "chat", "tiered_pricing": [
        {"range": [0, 32000.0], "input_cost_per_token": 1.2e-06, "output_cost_per_token": 6e-06},
        {"range": [32_000.0, 128_000.0], "input_cost_per_token": 2.4e-06, "output_cost_per_token": 1.2e-05}
    ]}));
    assert_eq!(tiered.rates.input_per_million_usd, usd("1.2"));
    assert_eq!(tiered.long_context[0].above_input_tokens, 32_000);
    assert_eq!(tiered.long_context[0].rates.output_per_million_usd, usd("12"));
    let image = price(&json!({ "mode": "image_generation", "output_cost_per_image": 0.04 }));
    assert_eq!(image.per_image_usd, usd("0.04"));
    let rerank =
        price(&json!({ "mode": "rerank", "input_cost_per_query": 0.002, "input_cost_per_token": 0.0 }));
    assert_eq!(rerank.per_request_usd, usd("0.002"));
    let hit = price(&json!({ "input_cost_per_token": 1e-6, "input_cost_per_token_cache_hit": 1e-7 }));
    assert_eq!(hit.rates.cache_read_per_million_usd, usd("0.1"));
    let moderation =
        price(&json!({ "mode": "moderation", "input_cost_per_token": 0, "output_cost_per_token": 0.0 }));
    assert!(moderation.free);
}

#[test]
fn us_02_a_price_of_zero_is_no_price() {
    for entry in [
        r#"{"input_cost_per_token":0,"output_cost_per_token":0.0,"mode":"chat"}"#,
        r#"{"input_cost_per_token":-0.0,"mode":"embedding"}"#,
        r#"{"mode":"video_generation","output_cost_per_second":0.1}"#,
        r#"{"input_cost_per_token":null,"output_cost_per_token":null}"#,
        "{}",
    ] {
        let list = read(&format!("{{\"m\":{entry}}}")).unwrap();
        assert_eq!((list.prices.len(), list.invalid.len(), list.without_price), (0, 0, 1), "{entry}");
    }
}

#[test]
fn nonsense_in_an_entry_names_the_field_and_spoils_no_other() {
    for (entry, expected) in [
        (r#"{"input_cost_per_token":-1e-6}"#, "input_cost_per_token must not be negative"),
        (r#"{"output_cost_per_token":"0.1"}"#, "output_cost_per_token must be a number"),
        (
            r#"{"input_cost_per_token":1e400}"#,
            "input_cost_per_token is absurd: more than 100000 USD for a million tokens",
        ),
        (
            r#"{"input_cost_per_token":3}"#,
            "input_cost_per_token is absurd: more than 100000 USD for a million tokens",
        ),
        (
            r#"{"input_cost_per_token_above_200k_tokens_flex":[1]}"#,
            "input_cost_per_token_above_200k_tokens_flex must be a number",
        ),
        (r#"{"cache_read_input_token_cost":{"x":1}}"#, "cache_read_input_token_cost must be a number"),
        (r#"{"input_cost_per_token":true}"#, "input_cost_per_token must be a number"),
        (
            r#"{"input_cost_per_token":1e-6,"input_cost_per_token":2e-6}"#,
            "input_cost_per_token is given twice",
        ),
        (r#"{"input_cost_per_token":1e-6,"max_input_tokens":"lots"}"#, "max_input_tokens must be a number"),
        (
            r#"{"input_cost_per_token":1e-6,"max_output_tokens":1.5}"#,
            "max_output_tokens must be a whole number",
        ),
        (
            r#"{"search_context_cost_per_query":{"search_context_size_low":-1}}"#,
            "search_context_cost_per_query.search_context_size_low must not be negative",
        ),
        (r#"{"tiered_pricing":5}"#, "tiered_pricing must be an array of objects with a range"),
        (
            r#"{"tiered_pricing":[{"input_cost_per_token":-1,"range":[0,1]}]}"#,
            "tiered_pricing.input_cost_per_token must not be negative",
        ),
        (
            r#"{"provider_specific_entry":{"fast":-2},"input_cost_per_token":1e-6}"#,
            "provider_specific_entry.fast must not be negative",
        ),
        ("5", "the entry must be an object"),
        ("null", "the entry must be an object"),
        ("[[[{}]]]", "the entry must be an object"),
        ("\"x\"", "the entry must be an object"),
    ] {
        assert_eq!(reason(entry), expected, "{entry}");
    }
    let list = read(
        r#"{"a b":{"input_cost_per_token":1e-6},"good":{"input_cost_per_token":1e-6},"z":{"input_cost_per_token":-1}}"#,
    );
    let list = list.unwrap();
    assert_eq!(list.prices.len(), 1);
    assert_eq!(list.invalid[0].model, "a b");
    assert!(list.invalid[0].reason.starts_with("model: "), "{:?}", list.invalid);
}

#[test]
fn a_model_given_twice_is_left_out() {
    let list = read(r#"{"m":{"input_cost_per_token":1e-6},"m":{"input_cost_per_token":2e-6}}"#).unwrap();
    assert_eq!(list.prices, []);
    assert_eq!(
        list.invalid,
        [Invalid { model: "m".to_owned(), reason: "the model is given twice".to_owned() }]
    );
}

#[test]
fn a_list_that_is_no_json_says_where() {
    for (text, expected) in [
        ("", "line 1, column 0: EOF while parsing a value"),
        ("[]", "line 1, column 0: invalid type: sequence, expected an object of models"),
        ("{\"a\":{}} x", "line 1, column 10: trailing characters"),
        (
            "{\"m\":{\"input_cost_per_token\":NaN}}",
            "column 30 (entry 'm', field 'input_cost_per_token'): expected value",
        ),
        ("{\"m\":{\"x\":Infinity}}", "(entry 'm', field 'x')"),
        ("{\"m\":\n{\"x\":1,}}", "line 2, column 8 (entry 'm', field 'x')"),
        ("{\"m\":{\"x\":01}}", "(entry 'm', field 'x')"),
        ("{\"m\":{\"x\":", "(entry 'm', field 'x')"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error} for {text}");
    }
    let deep = format!("{{\"m\":{{\"x\":{}{}}}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(read(&deep).unwrap().without_price, 1);
    let deep = format!("{{\"m\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(read(&deep).unwrap().invalid[0].reason, "the entry must be an object");
}

#[test]
fn giant_lists_are_bounded() {
    assert_eq!(read(&" ".repeat(MAX_BYTES + 1)), Err(ListError::TooLarge));
    let many: Vec<String> = (0..=MAX_ENTRIES).map(|at| format!("\"m{at}\":{{}}")).collect();
    assert_eq!(read(&format!("{{{}}}", many.join(","))), Err(ListError::TooMany));
    let wide: Vec<String> = (0..=MAX_FIELDS).map(|at| format!("\"f{at}\":1")).collect();
    assert_eq!(reason(&format!("{{{}}}", wide.join(","))), "the entry has more than 500 fields");
    // As large as a list may be, in one string and in one number.
    let text = format!("{{\"m\":{{\"source\":\"{}\"}}}}", "x".repeat(MAX_BYTES - 40));
    assert_eq!(read(&text).unwrap().without_price, 1);
    let text = format!("{{\"m\":{{\"input_cost_per_token\":0.{}1}}}}", "0".repeat(MAX_BYTES - 60));
    assert_eq!(read(&text).unwrap().prices[0].1.rates.input_per_million_usd, Money::from_nano(1));
}

fn nonsense() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|b| json!(b)),
        any::<i64>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!(n)),
        (0.0..1e-4_f64).prop_map(|n| json!(n)),
        "\\PC{0,12}".prop_map(|s| json!(s)),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|v| json!(v)),
            prop::collection::btree_map(field(), inner, 0..5).prop_map(|m| json!(m)),
        ]
    })
}

fn field() -> impl Strategy<Value = String> {
    let known = [
        "input_cost_per_token",
        "output_cost_per_token",
        "cache_read_input_token_cost",
        "cache_creation_input_token_cost_above_1hr",
        "output_cost_per_reasoning_token",
        "input_cost_per_token_above_200k_tokens",
        "output_cost_per_token_above_18446744073709551615k_tokens",
        "input_cost_per_token_above_0k_tokens_priority",
        "output_cost_per_token_flex",
        "input_cost_per_request",
        "output_cost_per_image",
        "tiered_pricing",
        "range",
        "provider_specific_entry",
        "fast",
        "search_context_cost_per_query",
        "max_tokens",
        "max_input_tokens",
        "mode",
        "litellm_provider",
    ];
    prop_oneof![4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,12}"]
}

proptest! {
    #[test]
    fn no_list_makes_the_reader_panic_and_what_it_takes_makes_sense(
        models in prop::collection::btree_map("[a-z ]{0,6}", nonsense(), 0..6),
        pretty in any::<bool>(),
    ) {
        let text = if pretty { serde_json::to_string_pretty(&models) } else { serde_json::to_string(&models) }.unwrap();
        let list = read(&text).unwrap();
        prop_assert_eq!(list.prices.len() + list.invalid.len() + usize::try_from(list.without_price).unwrap(), models.len());
        for (model, spec) in &list.prices {
            prop_assert!(spec.check(model).is_ok());
            let back: PriceSpec = serde_json::from_str(&serde_json::to_string(spec).unwrap()).unwrap();
            prop_assert_eq!(&back, spec);
        }
        prop_assert!(list.invalid.iter().all(|invalid| !invalid.reason.is_empty()));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(text in "\\PC{0,200}", cut in any::<prop::sample::Index>()) {
        let _ = read(&text);
        let good = r#"{"m":{"input_cost_per_token":1e-6,"tiered_pricing":[{"range":[0,1]}],"mode":"chat"},"n":{}}"#;
        let at = cut.index(good.len());
        let _ = read(&good[..at]);
        let _ = read(&format!("{}{text}{}", &good[..at], &good[at..]));
    }

    #[test]
    fn amounts_agree_with_decimals(units in 0_u64..10_u64.pow(12), exponent in 0_u32..18) {
        // Written out and in scientific form it is the same number, rounded up to nano-USD per million.
        let scientific = amount::per_million(&format!("{units}e-{exponent}"));
        let digits = format!("{units:0>20}");
        let (whole, fraction) = digits.split_at(20 - usize::try_from(exponent).unwrap());
        let plain = if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") };
        prop_assert_eq!(amount::per_million(&plain), scientific);
        let nano = (u128::from(units) * 10_u128.pow(15)).div_ceil(10_u128.pow(exponent));
        match scientific {
            Ok(money) => prop_assert_eq!(u128::try_from(money.nano()).unwrap(), nano),
            Err(_) => prop_assert!(nano > 10_u128.pow(14)),
        }
    }
}
