//! The table that comes with this version.

use types::price::Rates;

use super::write::{format, table};
use super::*;

#[test]
fn every_line_is_read_makes_sense_and_is_written_the_same() {
    let lines: Vec<(&str, &str)> = TABLE.lines().skip(1).map(|line| line.split_once('\t').unwrap()).collect();
    assert_eq!(all().count(), lines.len());
    for (name, words) in &lines {
        let spec = parse(words).unwrap_or_else(|| panic!("{name} {words}"));
        spec.check(name).unwrap_or_else(|problem| panic!("{name}: {problem}"));
        assert_eq!(format(&spec), *words, "{name}");
        assert_eq!(*name, name.to_ascii_lowercase());
        // Free of charge is only what is free on purpose.
        assert_eq!(spec.free, name.contains("moderation"), "{name}");
    }
    assert!(lines.windows(2).all(|pair| pair[0].0 < pair[1].0), "names ascend");
    assert!(lines.len() > 3_000 && TABLE.len() < 600_000, "{} lines, {} bytes", lines.len(), TABLE.len());
    println!("{} models in {} bytes", lines.len(), TABLE.len());
}

#[test]
fn bisection_finds_every_name_and_no_other() {
    for (name, spec) in all() {
        assert_eq!(get(name), Some(spec), "{name}");
        assert_eq!(get(&format!("{name}!")), None);
        assert_eq!(starting_with(name).next(), Some(name));
    }
    for name in ["", "#", "# litellm", "a", "claude", "zzzz", "\u{ffff}", "claude-sonnet-4-5\ti3"] {
        assert_eq!(get(name), None, "{name}");
    }
    let sonnets: Vec<&str> = starting_with("claude-sonnet-4-5-2").collect();
    assert_eq!(sonnets, ["claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929-v1:0"]);
    assert!(!origin().is_empty());
}

#[test]
fn words_that_are_none_are_refused() {
    for words in ["x", "i", "i-1", "iNaN", "N1.5", ">x", "3", "Ω1", "i1e400"] {
        assert_eq!(parse(words), None, "{words}");
    }
}

/// Input, output, cache read, write 5 m, write 1 h.
fn five(rates: &Rates) -> [String; 5] {
    [
        rates.input_per_million_usd,
        rates.output_per_million_usd,
        rates.cache_read_per_million_usd,
        rates.cache_write_5m_per_million_usd,
        rates.cache_write_1h_per_million_usd,
    ]
    .map(|price| price.map_or_else(|| "-".to_owned(), |price| price.to_string()))
}

/// What the vendors' own price pages said in November 2026.
#[test]
fn the_main_models_cost_what_their_vendors_say() {
    for (model, expected) in [
        ("claude-opus-5-5", "4 20 0.2 5 8"),
        ("claude-opus-5", "5 25 0.5 6.25 10"),
        ("claude-opus-4-6", "5 25 0.5 6.25 10"),
        ("claude-opus-4-1-20250805", "15 75 1.5 18.75 30"),
        ("claude-sonnet-5-5", "2 10 0.1 2.5 4"),
        ("claude-sonnet-5", "2 10 0.2 2.5 4"),
        ("claude-sonnet-4-6", "3 15 0.3 3.75 6"),
        ("claude-sonnet-4-5", "3 15 0.3 3.75 6"),
        ("claude-haiku-5-5", "0.1 0.5 0.01 0.125 0.2"),
        ("claude-haiku-4-5", "1 5 0.1 1.25 2"),
        ("claude-3-5-haiku-20241022", "0.8 4 0.08 1 1.6"),
        ("gpt-6.1-sol", "2 10 0.1 2.5 -"),
        ("gpt-6-sol", "2 10 0.2 2.5 -"),
        ("gpt-6-luna", "0.1 0.5 0.01 0.125 -"),
        ("gpt-5.5", "5 30 0.5 - -"),
        ("gpt-5.4", "2.5 15 0.25 - -"),
        ("gpt-5.4-mini", "0.75 4.5 0.075 - -"),
        ("gpt-5", "1.25 10 0.125 - -"),
        ("gpt-5-nano", "0.05 0.4 0.005 - -"),
        ("gpt-4.1", "2 8 0.5 - -"),
        ("gpt-4o", "2.5 10 1.25 - -"),
        ("gpt-4o-mini", "0.15 0.6 0.075 - -"),
        ("gemini/gemini-2.5-pro", "1.25 10 0.125 - -"),
        ("gemini/gemini-2.5-flash", "0.3 2.5 0.03 - -"),
        ("gemini/gemini-3.1-pro-preview", "2 12 0.2 - -"),
        ("gemini/gemini-3.5-flash", "1.5 9 0.15 - -"),
        // Half price to the end of 2026.
        ("gemini/gemini-3.8-flash", "0.75 3.75 0.075 - -"),
    ] {
        assert_eq!(five(&get(model).unwrap().rates).join(" "), expected, "{model}");
    }
}

#[test]
fn long_requests_and_service_tiers_cost_what_their_vendors_say() {
    for (model, above, expected) in [
        // Input beyond 200,000 tokens was only ever taken at these prices.
        ("claude-sonnet-4-5", 200_000, "6 22.5 0.6 7.5 12"),
        ("claude-sonnet-4-5-20250929", 200_000, "6 22.5 0.6 7.5 12"),
        ("claude-sonnet-4-20250514", 200_000, "6 22.5 0.6 7.5 12"),
        ("claude-haiku-5-5", 100_000, "0.5 2.5 0.05 0.625 1"),
        ("gpt-6.1-sol", 272_000, "4 15 0.2 5 -"),
        ("gemini/gemini-2.5-pro", 200_000, "2.5 15 0.25 - -"),
        ("gemini/gemini-3.1-pro-preview", 200_000, "4 18 0.4 - -"),
    ] {
        let spec = get(model).unwrap();
        let long = &spec.long_context[0];
        assert_eq!((long.above_input_tokens, spec.long_context.len()), (above, 1), "{model}");
        assert_eq!(five(&long.rates).join(" "), expected, "{model}");
    }
    // No surcharge in the vendor's words.
    for model in ["claude-sonnet-4-6", "claude-opus-4-6", "claude-sonnet-5-5"] {
        assert_eq!(get(model).unwrap().long_context, [], "{model}");
    }
    for (model, expected) in [
        ("claude-opus-5-5", "8 40 0.4 10 16"),
        ("claude-opus-5", "10 50 1 12.5 20"),
        ("gpt-5.5", "12.5 75 1.25 - -"),
        ("gpt-5.4", "5 30 0.5 - -"),
        ("gpt-5-mini", "0.45 3.6 0.045 - -"),
        ("gpt-4.1", "3.5 14 0.875 - -"),
    ] {
        assert_eq!(five(&get(model).unwrap().priority.unwrap()).join(" "), expected, "{model}");
    }
    assert_eq!(get("gpt-5-nano").unwrap().priority, None);
    let sol = get("gpt-6.1-sol").unwrap();
    assert_eq!(five(&sol.long_context[0].priority.clone().unwrap()).join(" "), "8 30 0.4 10 -");
    let search = |model: &str| get(model).unwrap().web_search_per_call_usd.unwrap().to_string();
    assert_eq!(search("claude-haiku-4-5"), "0.01");
    assert_eq!(search("gpt-5.4"), "0.01");
    assert_eq!(search("gemini/gemini-2.5-pro"), "0.035");
    assert_eq!(search("gemini/gemini-3.1-pro-preview"), "0.014");
    let audio = get("gemini/gemini-2.5-flash").unwrap().rates.audio_input_per_million_usd;
    assert_eq!(audio.unwrap().to_string(), "1");
}

/// Where the list that the table was made from is at hand.
#[test]
fn the_table_is_what_its_list_makes() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/prices/litellm-prices.json");
    let Ok(list) = std::fs::read_to_string(&path) else {
        println!("SKIP: no price list at {}", path.display());
        return;
    };
    assert!(table(origin(), &list) == TABLE, "the table is stale; run `cargo xtask prices`");
}
