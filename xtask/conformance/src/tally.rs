//! What was checked and what came out of it, by pair of dialects and feature.

use std::collections::BTreeMap;

use protocol::Dialect;

/// Which half of a conversation was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Half {
    Answers,
    Requests,
}

/// A caller and the vendor that answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) caller: Dialect,
    pub(crate) vendor: Dialect,
}

impl Pair {
    /// The twelve pairs that need translation, by caller.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let callers = Dialect::ALL.iter().copied();
        callers.flat_map(|caller| {
            let vendors = Dialect::ALL.iter().copied().filter(move |vendor| *vendor != caller);
            vendors.map(move |vendor| Self { caller, vendor })
        })
    }

    /// As people call it.
    pub(crate) fn name(self) -> String {
        format!("{} on {}", name(self.caller), name(self.vendor))
    }
}

/// A dialect as people call it.
pub(crate) fn name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Anthropic => "Anthropic",
        Dialect::OpenAiChat => "Chat",
        Dialect::OpenAiResponses => "Responses",
        Dialect::Gemini => "Gemini",
    }
}

/// How a field came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It says the same.
    Right,
    /// It does not, and the losses say so.
    Listed,
    Wrong,
}

/// What was counted of one feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) checked: u64,
    pub(crate) right: u64,
    /// Of the right ones, those that are right because the caller is told.
    pub(crate) listed: u64,
}

impl Cell {
    /// Share of right ones in percent; nothing checked is nothing wrong.
    pub(crate) fn percent(self) -> f64 {
        if self.checked == 0 { 100.0 } else { ratio(self.right, self.checked) * 100.0 }
    }

    fn add(&mut self, other: Self) {
        self.checked += other.checked;
        self.right += other.right;
        self.listed += other.listed;
    }
}

/// One number by another, for percentages: counts here are far below 2^32.
pub(crate) fn ratio(part: u64, of: u64) -> f64 {
    let small = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    small(part) / small(of)
}

/// A field that came out wrong.
#[derive(Clone, Debug)]
pub(crate) struct Miss {
    pub(crate) half: Half,
    pub(crate) pair: Pair,
    /// The exchange, and how it was fed.
    pub(crate) id: String,
    pub(crate) field: String,
    pub(crate) wanted: String,
    pub(crate) got: String,
}

/// Everything that was counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    cells: BTreeMap<(Half, String, &'static str), Cell>,
    pub(crate) misses: Vec<Miss>,
}

impl Tally {
    /// Counts one field.
    pub(crate) fn count(&mut self, half: Half, pair: Pair, feature: &'static str, verdict: Verdict) {
        let cell = self.cells.entry((half, pair.name(), feature)).or_default();
        cell.checked += 1;
        cell.right += u64::from(verdict != Verdict::Wrong);
        cell.listed += u64::from(verdict == Verdict::Listed);
    }

    /// What was counted of one feature of a pair.
    pub(crate) fn cell(&self, half: Half, pair: Pair, feature: &'static str) -> Cell {
        self.cells.get(&(half, pair.name(), feature)).copied().unwrap_or_default()
    }

    /// What was counted of a pair.
    pub(crate) fn whole(&self, half: Half, pair: Pair) -> Cell {
        let name = pair.name();
        let mut whole = Cell::default();
        for (_, cell) in self.cells.iter().filter(|((own, pair, _), _)| *own == half && *pair == name) {
            whole.add(*cell);
        }
        whole
    }
}
