//! `cargo xtask conformance`: how much of real exchanges survives translation, for each pair of dialects.
//!
//! It uses the public interface of `protocol` only, and reads what comes out by means of its own. With `--cost` it
//! measures what translation takes, with `--fuzz` it feeds broken bytes to every reader.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the terminal is where this program reports")]

mod answers;
mod asked;
mod cost;
mod data;
mod fuzz;
mod report;
mod requests;
mod said;
mod tally;
mod walk;

use std::process::ExitCode;

use crate::data::Recorded;
use crate::tally::{Half, Pair, Tally};

/// Least share of fields that must be right in each pair, in percent.
pub(crate) const ANSWERS: f64 = 99.0;
/// The same for requests.
pub(crate) const REQUESTS: f64 = 98.0;

/// What can go wrong ends the program, with its sentence.
pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// An error of one sentence.
pub(crate) fn fail(sentence: impl Into<String>) -> Box<dyn std::error::Error + Send + Sync> {
    sentence.into().into()
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result {
    let (mut write, mut cost, mut fuzzes, mut most) = (false, false, false, 40);
    let mut asked = fuzz::Asked::default();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let mut number = || {
            rest.next().and_then(|text| text.parse::<u64>().ok()).ok_or_else(|| fail("a number is missing"))
        };
        match arg.as_str() {
            "--write" => write = true,
            "--cost" => cost = true,
            "--fuzz" => (fuzzes, asked.rounds) = (true, number()?),
            "--from" => asked.from = number()?,
            "--only" => asked.only = rest.next().cloned(),
            "--misses" => most = usize::try_from(number()?)?,
            other => return Err(fail(format!("unknown argument '{other}'"))),
        }
    }
    let recorded = Recorded::load()?;
    if cost {
        return cost::measure(&recorded);
    }
    if fuzzes {
        return fuzz::run(&recorded, &fuzz::Asked { write, ..asked });
    }
    let tally = measured(&recorded);
    print!("{}", report::misses(&tally, most));
    println!(
        "\nAnswers\n{}\nRequests\n{}",
        report::table(&tally, Half::Answers),
        report::table(&tally, Half::Requests)
    );
    if write && recorded.whole {
        let page = data::root().join("docs/conformance.md");
        std::fs::write(&page, report::page(&tally, &recorded))?;
        println!("{} is new", page.display());
    } else if write {
        println!(
            "docs/conformance.md is left as it is: it is written from the large collection, which is not here"
        );
    }
    let low = below_floor(&tally);
    if low.is_empty() { Ok(()) } else { Err(fail(format!("below the floor: {}", low.join(", ")))) }
}

/// Everything checked.
fn measured(recorded: &Recorded) -> Tally {
    let mut tally = Tally::default();
    answers::check(recorded, &mut tally);
    requests::check(recorded, &mut tally);
    tally
}

/// The pairs that are not good enough.
fn below_floor(tally: &Tally) -> Vec<String> {
    let mut low = Vec::new();
    for (half, floor) in [(Half::Answers, ANSWERS), (Half::Requests, REQUESTS)] {
        for pair in Pair::all() {
            let percent = tally.whole(half, pair).percent();
            if percent < floor {
                low.push(format!("{half:?} of {} with {percent:.2} %", pair.name()));
            }
        }
    }
    low
}

#[cfg(test)]
mod tests;
