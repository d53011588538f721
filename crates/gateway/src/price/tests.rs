//! Finding prices.

use proptest::prelude::*;
use types::Money;
use types::price::Rates;

use super::*;

const KINDS: &[ProviderKind] = ProviderKind::ALL;

fn spec(nano: i64) -> PriceSpec {
    PriceSpec {
        rates: Rates { input_per_million_usd: Money::from_nano(nano), ..Rates::default() },
        ..PriceSpec::default()
    }
}

fn book(rows: &[(&str, PriceSource)]) -> PriceBook {
    PriceBook::new(rows.iter().zip(1..).map(|((model, source), at)| ((*model).to_owned(), *source, spec(at))))
}

/// The entry that a model's price is found in.
fn entry(book: &PriceBook, kind: ProviderKind, model: &str) -> Option<String> {
    book.find(kind, model).map(|found| found.model.clone())
}

#[test]
fn us_default_prices_are_found_under_the_names_that_clients_use() {
    use ProviderKind::{Anthropic, AzureOpenAi, Bedrock, Gemini, OpenAi, OpenAiCompatible, Vertex};
    let book = PriceBook::default();
    for (kind, model, expected) in [
        (Anthropic, "claude-sonnet-4-5", Some("claude-sonnet-4-5")),
        (Anthropic, "Claude-Sonnet-4-5-20250929", Some("claude-sonnet-4-5-20250929")),
        (Anthropic, "claude-sonnet-4-5@20250929", Some("claude-sonnet-4-5")),
        (Anthropic, "claude-sonnet-4-5-latest", Some("claude-sonnet-4-5")),
        (Anthropic, "claude-sonnet-4-6-20260217", Some("claude-sonnet-4-6")),
        (Anthropic, "claude-sonnet-4-6[1m]", Some("claude-sonnet-4-6")),
        (Anthropic, "claude-3-7-sonnet-latest", Some("claude-3-7-sonnet-20250219")),
        (Anthropic, "claude-3-5-sonnet-latest", Some("claude-3-5-sonnet-20241022")),
        (
            Anthropic,
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            Some("us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ),
        (Anthropic, "deepseek-chat", Some("deepseek-chat")),
        (OpenAi, "gpt-4o", Some("gpt-4o")),
        (OpenAi, "gpt-4o-2099-01-01", Some("gpt-4o")),
        (OpenAi, "gpt-4o-audio-preview", Some("gpt-4o-audio-preview-2025-06-03")),
        (OpenAi, "ft:gpt-4o-mini-2024-07-18:acme::x", Some("ft:gpt-4o-mini-2024-07-18")),
        (OpenAi, "ft:unknown-model:acme::x", None),
        (OpenAi, "omni-moderation-latest", Some("omni-moderation-latest")),
        (AzureOpenAi, "gpt-4o", Some("azure/gpt-4o")),
        (Gemini, "models/gemini-2.5-pro", Some("gemini/gemini-2.5-pro")),
        (Gemini, "gemini-2.5-flash", Some("gemini/gemini-2.5-flash")),
        (Vertex, "claude-sonnet-4-5@20250929", Some("vertex_ai/claude-sonnet-4-5@20250929")),
        (Vertex, "gemini-2.5-pro", Some("gemini-2.5-pro")),
        (
            Bedrock,
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            Some("us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ),
        (OpenAiCompatible, "deepseek-reasoner", Some("deepseek-reasoner")),
        (OpenAiCompatible, "mistral-large-latest", Some("mistral/mistral-large-latest")),
        (OpenAiCompatible, "claude-haiku-4-5", Some("claude-haiku-4-5")),
        (OpenAiCompatible, "my-own-model", None),
        (OpenAi, "gpt-4", Some("gpt-4")),
        (OpenAi, "gpt", None),
        (OpenAi, "", None),
        (OpenAi, "-20250101", None),
        (OpenAi, "#", None),
    ] {
        assert_eq!(entry(&book, kind, model).as_deref(), expected, "{kind:?} {model}");
        assert_eq!(entry(&book, kind, model).as_deref(), expected, "{kind:?} {model}, remembered");
    }
}

#[test]
fn us_a_stronger_source_hides_a_weaker_one() {
    use PriceSource::{Imported, Manual, Synced};
    let sources = [Synced, Imported, Manual];
    for strongest in 0..sources.len() {
        let rows: Vec<_> = sources[..=strongest].iter().map(|source| ("gpt-4o", *source)).collect();
        let found = book(&rows).find(ProviderKind::OpenAi, "gpt-4o").unwrap();
        assert_eq!(found.source, sources[strongest]);
    }
    let found = PriceBook::default().find(ProviderKind::OpenAi, "gpt-4o").unwrap();
    assert_eq!(found.source, PriceSource::Default);
    // Even a manual pattern goes before a weaker source's exact name.
    let book = book(&[("gpt-*", Manual), ("gpt-4o", Imported)]);
    assert_eq!(entry(&book, ProviderKind::OpenAi, "gpt-4o").as_deref(), Some("gpt-*"));
    assert_eq!(entry(&book, ProviderKind::OpenAi, "o3").as_deref(), Some("o3"));
    assert_eq!(book.stored("GPT-4O").unwrap().source, Imported);
    assert!(book.stored("o3").is_none());
}

#[test]
fn us_within_a_source_the_closest_name_wins() {
    let book = book(&[
        ("*", PriceSource::Manual),
        ("Claude-*", PriceSource::Manual),
        ("claude-sonnet-*", PriceSource::Manual),
        ("claude-sonnet-9", PriceSource::Manual),
        ("claude-sonnet-9-20300101", PriceSource::Manual),
        ("gemini/gemini-9", PriceSource::Manual),
        ("gemini-9", PriceSource::Manual),
        ("old-model-20240101", PriceSource::Manual),
        ("old-model-2025-01-01", PriceSource::Manual),
        ("old-model-mini-2026-01-01", PriceSource::Manual),
    ]);
    for (kind, model, expected) in [
        (ProviderKind::Anthropic, "claude-sonnet-9-20300101", "claude-sonnet-9-20300101"),
        (ProviderKind::Anthropic, "CLAUDE-SONNET-9", "claude-sonnet-9"),
        (ProviderKind::Anthropic, "claude-sonnet-9-20310101", "claude-sonnet-9"),
        (ProviderKind::Anthropic, "claude-sonnet-8", "claude-sonnet-*"),
        (ProviderKind::Anthropic, "claude-opus-8", "Claude-*"),
        (ProviderKind::OpenAi, "whatever", "*"),
        // As it was entered first.
        (ProviderKind::Gemini, "gemini-9", "gemini-9"),
        (ProviderKind::OpenAi, "old-model", "old-model-2025-01-01"),
        (ProviderKind::OpenAi, "old-model-latest", "old-model-2025-01-01"),
    ] {
        assert_eq!(entry(&book, kind, model).as_deref(), Some(expected), "{model}");
    }
}

#[test]
fn a_lists_prefix_of_the_provider_goes_before_the_bare_name() {
    let book = book(&[
        ("gemini/gemini-9", PriceSource::Synced),
        ("gemini-9", PriceSource::Synced),
        ("azure/gpt-9", PriceSource::Synced),
        ("gpt-9", PriceSource::Synced),
    ]);
    assert_eq!(entry(&book, ProviderKind::Gemini, "gemini-9").as_deref(), Some("gemini/gemini-9"));
    assert_eq!(entry(&book, ProviderKind::OpenAiCompatible, "gemini-9").as_deref(), Some("gemini-9"));
    assert_eq!(entry(&book, ProviderKind::AzureOpenAi, "gpt-9").as_deref(), Some("azure/gpt-9"));
    assert_eq!(entry(&book, ProviderKind::OpenAi, "gpt-9").as_deref(), Some("gpt-9"));
}

#[test]
fn what_is_remembered_is_bounded() {
    let book = PriceBook::default();
    for at in 0..3 * REMEMBERED {
        book.find(ProviderKind::OpenAi, &format!("unknown-{at}"));
    }
    assert!(book.remembered.read().unwrap().len() <= REMEMBERED);
    for &kind in KINDS {
        book.find(kind, "gpt-4o");
        book.find(kind, "gpt-4o");
    }
    assert_eq!(book.remembered.read().unwrap().get("gpt-4o").unwrap().len(), KINDS.len());
}

#[test]
fn looking_up_is_fast_enough_for_every_request() {
    let book = PriceBook::default();
    let names: Vec<String> = (0..100).map(|at| format!("unknown-model-{at}-20250101")).collect();
    let time = |names: &[String]| {
        let start = std::time::Instant::now();
        for name in names {
            std::hint::black_box(book.find(ProviderKind::OpenAiCompatible, name));
        }
        start.elapsed() / u32::try_from(names.len()).unwrap()
    };
    let (first, again) = (time(&names), time(&names));
    // The worst case: a name that is nowhere, under all prefixes. Far above what it takes, for slow machines.
    assert!(first < std::time::Duration::from_millis(50), "{first:?}");
    println!("unknown model: {first:?} the first time, {again:?} from then on");
    let known = [String::from("claude-sonnet-4-5")];
    println!("known model: {:?} the first time, {:?} from then on", time(&known), time(&known));
}

proptest! {
    #[test]
    fn no_name_makes_the_search_panic_and_what_is_remembered_is_what_is_found(
        model in prop_oneof!["\\PC{0,40}", "[a-z0-9@:/.*\\[\\]-]{0,30}", "(models/|ft:)?(gpt|claude)-[0-9a-z-]{0,12}(-latest|@20250101|-2025-01-01|-001)?"],
        at in 0..KINDS.len(),
        pattern in "[a-z*]{1,6}",
    ) {
        let book = PriceBook::new([(pattern, PriceSource::Manual, spec(1)), ("gpt-*".to_owned(), PriceSource::Synced, spec(2))]);
        let first = book.find(KINDS[at], &model);
        prop_assert_eq!(book.find(KINDS[at], &model), first.clone());
        if let Some(found) = first {
            prop_assert!(!found.model.is_empty());
        }
    }
}
