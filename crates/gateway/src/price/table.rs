//! The price table that comes with this version.
//!
//! One line a model, sorted by name, so that a price is found by bisection in the program's own read-only pages:
//! nothing is read at start and nothing stays in memory. `cargo xtask prices` writes the file; its format is known
//! here only.
//!
//! A line is the name, a tab, and words: a class's letter and its price per million (`i3 o15 r0.3`), `q` per request,
//! `p` per image, `s` per search, `N` and `X` the largest input and output, `f` free. `P`, `F`, `B` begin the prices of
//! the service tiers; `>200000` begins those above that many tokens of input, with tiers of their own.

use types::Money;
use types::price::{LongContext, PriceSpec};

use super::classes::{CLASSES, Tier};

/// The table.
const TABLE: &str = include_str!("../../prices/default.txt");

/// Letters of the tiers.
const TIERS: [(&str, Tier); 3] = [("P", Tier::Priority), ("F", Tier::Flex), ("B", Tier::Batch)];

/// The default price of exactly this name, in lower case.
pub(crate) fn get(name: &str) -> Option<PriceSpec> {
    let (found, words) = entry_at(lower_bound(name))?;
    if found == name { parse(words) } else { None }
}

/// The entries whose names begin so, in lower case, in order.
pub(crate) fn starting_with(start: &str) -> impl Iterator<Item = &'static str> {
    let mut at = lower_bound(start);
    std::iter::from_fn(move || {
        let (name, _) = entry_at(at)?;
        at += line_at(at).len() + 1;
        Some(name)
    })
    .take_while(move |name| name.starts_with(start))
}

/// Every entry in the order of their names, for lists.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, PriceSpec)> {
    let lines = TABLE.lines().filter_map(|line| line.split_once('\t'));
    lines.filter_map(|(name, words)| Some((name, parse(words)?)))
}

/// Where the table comes from: what stands behind `# ` in its first line.
pub(crate) fn origin() -> &'static str {
    TABLE.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or("default")
}

/// The offset of the first line whose name is not less than this.
fn lower_bound(name: &str) -> usize {
    let (mut low, mut high) = (0, TABLE.len());
    while low < high {
        let middle = line_start(usize::midpoint(low, high));
        let line = line_at(middle);
        // Notes come first: `#` sorts before every name.
        if line.split('\t').next().unwrap_or_default() < name {
            low = middle + line.len() + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The start of the line that holds this byte.
fn line_start(at: usize) -> usize {
    TABLE.as_bytes().get(..at).and_then(|head| memchr::memrchr(b'\n', head)).map_or(0, |end| end + 1)
}

fn line_at(start: usize) -> &'static str {
    let rest = TABLE.get(start..).unwrap_or_default();
    rest.split('\n').next().unwrap_or_default()
}

fn entry_at(start: usize) -> Option<(&'static str, &'static str)> {
    line_at(start).split_once('\t')
}

/// Reads a line's words. `None` if they are none, which a test rules out for the table itself.
pub(crate) fn parse(words: &str) -> Option<PriceSpec> {
    let mut spec = PriceSpec::default();
    let mut tier = None;
    for word in words.split_ascii_whitespace() {
        if let Some((_, named)) = TIERS.into_iter().find(|(letter, _)| *letter == word) {
            tier = Some(named);
            continue;
        }
        let mut letters = word.chars();
        let (letter, rest) = (letters.next()?, letters.as_str());
        if letter == '>' {
            tier = None;
            let above_input_tokens = rest.parse().ok()?;
            spec.long_context.push(LongContext { above_input_tokens, ..LongContext::default() });
            continue;
        }
        match letter {
            'f' => spec.free = true,
            'q' => spec.per_request_usd = Some(rest.parse().ok()?),
            'p' => spec.per_image_usd = Some(rest.parse().ok()?),
            's' => spec.web_search_per_call_usd = Some(rest.parse().ok()?),
            'N' => spec.max_input_tokens = Some(rest.parse().ok()?),
            'X' => spec.max_output_tokens = Some(rest.parse().ok()?),
            letter => {
                let class = CLASSES.into_iter().find(|class| class.letter == letter)?;
                let rates = match (spec.long_context.last_mut(), tier) {
                    (Some(long), Some(tier)) => tier.long_slot(long).get_or_insert_default(),
                    (Some(long), None) => &mut long.rates,
                    (None, Some(tier)) => tier.slot(&mut spec).get_or_insert_default(),
                    (None, None) => &mut spec.rates,
                };
                *(class.slot)(rates) = Some(rest.parse::<Money>().ok()?);
            }
        }
    }
    Some(spec)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod write;
