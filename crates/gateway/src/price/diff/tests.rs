//! What an import would change.

use types::Money;
use types::price::Rates;

use super::super::litellm::read;
use super::*;

fn spec(usd: &str) -> PriceSpec {
    let rates = Rates { input_per_million_usd: usd.parse::<Money>().ok(), ..Rates::default() };
    PriceSpec { rates, ..PriceSpec::default() }
}

fn book(rows: &[(&str, PriceSource, &str)]) -> PriceBook {
    PriceBook::new(rows.iter().map(|(model, source, usd)| ((*model).to_owned(), *source, spec(usd))))
}

fn list() -> List {
    read(
        r#"{
            "new":{"input_cost_per_token":1e-6}, "same":{"input_cost_per_token":2e-6},
            "changed":{"input_cost_per_token":3e-6}, "manual":{"input_cost_per_token":4e-6},
            "manual-same":{"input_cost_per_token":5e-6}, "bad":{"input_cost_per_token":-1}, "none":{}
        }"#,
    )
    .unwrap()
}

fn stored() -> PriceBook {
    book(&[
        ("Same", PriceSource::Imported, "2"),
        ("Changed", PriceSource::Synced, "30"),
        ("manual", PriceSource::Manual, "40"),
        ("manual-same", PriceSource::Manual, "5"),
        ("not-in-the-list", PriceSource::Imported, "6"),
    ])
}

#[test]
fn every_entry_is_new_changed_kept_invalid_or_unchanged() {
    let found = diff(&stored(), &list(), false);
    let import = &found.import;
    let counts =
        [import.entries, import.unchanged, import.new, import.changed, import.kept_manual, import.invalid];
    assert_eq!(counts, [5, 2, 1, 1, 1, 1]);
    let items: Vec<(&str, PriceChange)> = import.items.iter().map(|i| (i.model.as_str(), i.change)).collect();
    assert_eq!(
        items,
        [
            ("Changed", PriceChange::Changed),
            ("bad", PriceChange::Invalid),
            ("manual", PriceChange::KeptManual),
            ("new", PriceChange::New),
        ]
    );
    assert_eq!(
        (import.items[0].before.clone(), import.items[0].after.clone()),
        (Some(spec("30")), Some(spec("3")))
    );
    assert_eq!(import.items[1].reason.as_deref(), Some("input_cost_per_token must not be negative"));
    // Under the names that are stored already.
    assert_eq!(found.apply, [("Changed".to_owned(), spec("3")), ("new".to_owned(), spec("1"))]);

    let replaced = diff(&stored(), &list(), true);
    assert_eq!((replaced.import.changed, replaced.import.kept_manual, replaced.apply.len()), (2, 0, 3));
    assert_ne!(replaced.import.preview, found.import.preview);
}

#[test]
fn carried_out_it_has_nothing_left_to_do() {
    let before = stored();
    let found = diff(&before, &list(), true);
    let mut rows: Vec<(String, PriceSource, PriceSpec)> =
        vec![("Same".into(), PriceSource::Imported, spec("2"))];
    rows.push(("manual-same".into(), PriceSource::Manual, spec("5")));
    rows.extend(found.apply.into_iter().map(|(model, spec)| (model, PriceSource::Imported, spec)));
    let again = diff(&PriceBook::new(rows), &list(), true);
    assert_eq!((again.import.unchanged, again.apply), (5, Vec::new()));
}

#[test]
fn the_digest_covers_what_is_not_shown() {
    let list = |last: &str| {
        let entry = |at: usize| format!("\"m{at:04}\":{{\"input_cost_per_token\":1e-6}}");
        let mut entries: Vec<String> = (0..2 * SHOWN).map(entry).collect();
        entries.push(format!("\"z\":{{\"input_cost_per_token\":{last}}}"));
        read(&format!("{{{}}}", entries.join(","))).unwrap()
    };
    let current = PriceBook::default();
    let (one, other) = (diff(&current, &list("1e-6"), false), diff(&current, &list("2e-6"), false));
    assert_eq!((one.import.items.len(), one.import.new), (SHOWN, 1_001));
    assert_eq!(one.import.items, other.import.items);
    assert_ne!(one.import.preview, other.import.preview);
    assert_eq!(one.import.preview, diff(&current, &list("1e-6"), false).import.preview);
}

#[test]
fn a_price_that_equals_the_default_tables_is_not_stored() {
    let text = r#"{"gpt-4.1-nano":{"litellm_provider":"openai","mode":"chat","input_cost_per_token":7e-6}}"#;
    let changed = diff(&PriceBook::default(), &read(text).unwrap(), false);
    assert_eq!((changed.import.changed, changed.import.new), (1, 0));
    assert_eq!(changed.import.items[0].before, table::get("gpt-4.1-nano"));
    let default = List {
        prices: vec![("GPT-4.1-nano".into(), table::get("gpt-4.1-nano").unwrap())],
        ..List::default()
    };
    assert_eq!(diff(&PriceBook::default(), &default, false).import.unchanged, 1);
}

/// Where the list that the default table was made from is at hand.
#[test]
fn importing_the_default_tables_own_list_changes_nothing() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/prices/litellm-prices.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("SKIP: no price list at {}", path.display());
        return;
    };
    let start = std::time::Instant::now();
    let list = read(&text).unwrap();
    let read_in = start.elapsed();
    let found = diff(&PriceBook::default(), &list, false);
    println!("{} entries read in {read_in:?}, read and compared in {:?}", list.prices.len(), start.elapsed());
    assert_eq!(list.invalid, []);
    assert_eq!((found.import.changed, found.import.invalid), (0, 0));
    // Prices by the size of an image are not in the table.
    assert!(found.apply.iter().all(|(model, _)| model.contains("-x-")), "{:?}", found.apply.first());
}
