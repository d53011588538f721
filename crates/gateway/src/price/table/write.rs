//! Writing the default table from a price list. `cargo xtask prices` runs it.
//!
//! It lives among the tests because the running gateway only reads, and so that writer and reader cannot part ways.

use std::fmt::{Display, Write as _};
use std::path::Path;

use types::price::{PriceSpec, Rates};

use super::super::classes::CLASSES;
use super::super::litellm;
use super::TIERS;

/// Models that the vendors' pages price and the list has dropped since, in the same format.
const EXTRA: &str = include_str!("../../../prices/extra.json");

/// The words of a line.
pub(super) fn format(spec: &PriceSpec) -> String {
    let mut line = Line(String::new());
    if spec.free {
        line.word("f", &"");
    }
    line.rates(&spec.rates);
    for (letter, price) in
        [("q", spec.per_request_usd), ("p", spec.per_image_usd), ("s", spec.web_search_per_call_usd)]
    {
        if let Some(price) = price {
            line.word(letter, &price);
        }
    }
    for (letter, bound) in [("N", spec.max_input_tokens), ("X", spec.max_output_tokens)] {
        if let Some(bound) = bound {
            line.word(letter, &bound);
        }
    }
    for (letter, tier) in TIERS {
        line.tier(letter, tier.of(spec));
    }
    for long in &spec.long_context {
        line.word(">", &long.above_input_tokens);
        line.rates(&long.rates);
        for (letter, tier) in TIERS {
            line.tier(letter, tier.of_long(long));
        }
    }
    line.0
}

struct Line(String);

impl Line {
    fn word(&mut self, letter: &str, value: &dyn Display) {
        let gap = if self.0.is_empty() { "" } else { " " };
        write!(self.0, "{gap}{letter}{value}").unwrap();
    }

    fn rates(&mut self, rates: &Rates) {
        for class in CLASSES {
            if let Some(price) = (class.get)(rates) {
                self.word(&class.letter.to_string(), &price);
            }
        }
    }

    fn tier(&mut self, letter: &str, rates: Option<&Rates>) {
        if let Some(rates) = rates {
            self.word(letter, &"");
            self.rates(rates);
        }
    }
}

/// The whole table made from a list.
pub(super) fn table(origin: &str, list: &str) -> String {
    let mut prices = litellm::read(EXTRA).unwrap().prices;
    let read = litellm::read(list).unwrap();
    for invalid in &read.invalid {
        println!("left out: {}: {}", invalid.model, invalid.reason);
    }
    println!("{} prices, {} entries without a usable price", read.prices.len(), read.without_price);
    prices.retain(|(extra, _)| !read.prices.iter().any(|(model, _)| model.eq_ignore_ascii_case(extra)));
    prices.extend(read.prices);
    // Prices by the size of an image stand under names that nobody asks for.
    prices.retain(|(model, _)| !model.contains("-x-"));
    let mut lines: Vec<String> = prices
        .iter()
        .map(|(model, spec)| format!("{}\t{}", model.to_ascii_lowercase(), format(spec)))
        .collect();
    lines.sort();
    lines.dedup_by(|a, b| a.split('\t').next() == b.split('\t').next());
    format!("# {origin}\n{}\n", lines.join("\n"))
}

#[test]
#[ignore = "writes prices/default.txt; run by `cargo xtask prices`"]
fn write_the_table() {
    let list = std::env::var_os("TOLLGATE_PRICE_LIST").expect("TOLLGATE_PRICE_LIST names the list");
    let origin =
        std::env::var_os("TOLLGATE_PRICE_ORIGIN").expect("TOLLGATE_PRICE_ORIGIN says where it is from");
    let list = std::fs::read_to_string(list).unwrap();
    let table = table(&origin.to_string_lossy(), &list);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("prices/default.txt");
    println!("{} bytes in {}", table.len(), path.display());
    std::fs::write(path, table).unwrap();
}
