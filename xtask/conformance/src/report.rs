//! The matrix as text: a table for the terminal and a page for the documentation.

use std::fmt::Write as _;

use crate::data::Recorded;
use crate::tally::{Cell, Half, Pair, Tally, name};
use crate::{ANSWERS, REQUESTS, answers, requests};

fn features(half: Half) -> &'static [&'static str] {
    match half {
        Half::Answers => answers::FEATURES,
        Half::Requests => requests::FEATURES,
    }
}

/// A share as people read it; all is only what is all.
fn share(cell: Cell) -> String {
    match cell {
        Cell { checked: 0, .. } => "–".into(),
        cell if cell.right == cell.checked => "100 %".into(),
        cell => format!("{:.1} %", (cell.percent() * 10.0).floor() / 10.0),
    }
}

/// One half of the matrix.
pub(crate) fn table(tally: &Tally, half: Half) -> String {
    let mut out = String::from("| caller on vendor | all |");
    for feature in features(half) {
        _ = write!(out, " {feature} |");
    }
    out.push_str("\n|---|---|");
    for _ in features(half) {
        out.push_str("---|");
    }
    for pair in Pair::all() {
        let whole = tally.whole(half, pair);
        _ = write!(out, "\n| {} | {} of {} |", pair.name(), share(whole), whole.checked);
        for feature in features(half) {
            _ = write!(out, " {} |", share(tally.cell(half, pair, feature)));
        }
    }
    out.push('\n');
    out
}

/// How many fields of each pair are right because the losses name them.
fn losses(tally: &Tally) -> String {
    let mut out =
        String::from("| caller on vendor | carried over | named as lost | neither |\n|---|---|---|---|\n");
    for pair in Pair::all() {
        let Cell { checked, right, listed } = tally.whole(Half::Requests, pair);
        _ = writeln!(out, "| {} | {} | {listed} | {} |", pair.name(), right - listed, checked - right);
    }
    out
}

/// The page.
pub(crate) fn page(tally: &Tally, recorded: &Recorded) -> String {
    let mut out = String::from(
        "# Conformance of translation\n\n\
         Written by `cargo xtask conformance --write`. Each row is a caller's dialect on a vendor of another one.\n\
         Real exchanges are translated and read back by readings that share no code with the translation; every\n\
         field that differs from the original is a miss. Streams are fed byte by byte, in pieces of seven bytes and\n\
         whole; whole answers are checked as they are and as the stream that a caller might have asked for.\n\n",
    );
    let counted = |dialect| {
        let of = |streams| {
            recorded.exchanges.iter().filter(|e| e.dialect == dialect && e.streams == streams).count()
        };
        let calls = recorded.calls.iter().filter(|call| call.dialect == dialect).count();
        format!("* {}: {} answers, {} streams, {calls} requests\n", name(dialect), of(false), of(true))
    };
    out.extend(protocol::Dialect::ALL.iter().map(|dialect| counted(*dialect)));
    _ = write!(out, "\n## Answers\n\nNo pair may fall below {ANSWERS} %.\n\n{}", table(tally, Half::Answers));
    _ = write!(
        out,
        "\n## Requests\n\nNo pair may fall below {REQUESTS} %. What the vendor's dialect cannot say counts as right \
         only where the losses\n(header `x-tollgate-dropped`) name it; how often that was so stands in the last \
         table.\n\n{}",
        table(tally, Half::Requests)
    );
    _ = write!(out, "\n### Fields of requests\n\n{}", losses(tally));
    if let Some(figures) = crate::fuzz::written() {
        _ = write!(
            out,
            "\n## Broken bytes\n\nWritten by `cargo xtask conformance --fuzz <runs> --write`: recorded bodies with \
             faults, fed to every decoder and\nwritten on in a dialect drawn at random. No run may panic, make more \
             than 64 bytes (and 64 KiB) of one, or say\nsomething else when a stream comes in other pieces; memory may \
             not grow. *Understood* is what was still taken for a\nwhole request, answer or stream; the rest was \
             refused, or reported as broken.\n\n{figures}"
        );
    }
    out
}

/// The misses, the first of each kind.
pub(crate) fn misses(tally: &Tally, most: usize) -> String {
    let mut out = String::new();
    let cut = |text: &str| -> String {
        let short: String = text.chars().take(300).collect();
        if short.len() < text.len() { format!("{short}…") } else { short }
    };
    for miss in tally.misses.iter().take(most) {
        _ = writeln!(
            out,
            "{:?} {}: {}: {}\n    wanted {}\n    got    {}",
            miss.half,
            miss.pair.name(),
            miss.id,
            miss.field,
            cut(&miss.wanted),
            cut(&miss.got)
        );
    }
    if tally.misses.len() > most {
        _ = writeln!(out, "… and {} more (--misses <number> shows them)", tally.misses.len() - most);
    }
    out
}
