//! Broken bytes for every decoder: recorded bodies, mutated. None may panic, none may make much of little, and none
//! may hear something else when the same bytes come in other pieces.
//!
//! A run is a number: the same number gives the same bytes on every machine.

mod feed;
mod mutate;
mod random;
mod seed;

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use protocol::Dialect;
use protocol::translate::Back;

use crate::answers::back;
use crate::data::{Recorded, root};
use crate::tally::{name, ratio};
use crate::{Result, fail};
use feed::{Room, What, feed};
use random::Random;
use seed::Seed;

/// Runs of one decoder before the next has its turn, so that a run that is cut short says something of all.
const TURN: u64 = 250_000;
/// Most memory that the process may have had at the end, in MB: nothing grows.
const MEMORY: u64 = 128;
/// Where a complete run leaves its figures for the page.
const FIGURES: &str = "xtask/conformance/fuzzed.md";

/// What a run is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Runs of each decoder.
    pub(crate) rounds: u64,
    /// The first of them.
    pub(crate) from: u64,
    /// Only decoders whose name has this in it.
    pub(crate) only: Option<String>,
    /// Whether the figures are left for the page.
    pub(crate) write: bool,
}

/// One decoder and how it is doing.
struct Decoder {
    what: What,
    number: u64,
    seeds: Vec<Seed>,
    backs: Vec<Arc<Back>>,
    runs: u64,
    understood: u64,
    bytes: u64,
    micros: f64,
}

/// Runs every decoder so many times.
pub(crate) fn run(recorded: &Recorded, asked: &Asked) -> Result {
    let wanted = |name: &str| asked.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    let mut decoders: Vec<Decoder> = What::all()
        .zip(0..)
        .map(|(what, number)| Decoder::of(recorded, what, number))
        .filter(|decoder| wanted(&decoder.name()))
        .collect();
    let until = asked.from + asked.rounds;
    let mut from = asked.from;
    while from < until {
        let to = until.min(from + TURN);
        for decoder in &mut decoders {
            decoder.turn(from..to)?;
        }
        from = to;
        println!("{}", figures(&decoders));
    }
    let peak = peak();
    if let Some(peak) = peak {
        println!("{peak} MB of memory at most");
        if peak > MEMORY {
            return Err(fail(format!("{peak} MB of memory were in use")));
        }
    }
    if asked.write {
        let mut page = figures(&decoders);
        if let Some(peak) = peak {
            _ = write!(page, "\n{peak} MB of memory at most.\n");
        }
        std::fs::write(root().join(FIGURES), page)?;
    }
    Ok(())
}

/// The figures of the last complete run, if there was one.
pub(crate) fn written() -> Option<String> {
    std::fs::read_to_string(root().join(FIGURES)).ok()
}

impl Decoder {
    fn of(recorded: &Recorded, what: What, number: u64) -> Self {
        let streams = matches!(what, What::Stream(_));
        let callers = Dialect::ALL.iter().filter(|_| what != What::Framing);
        let vendor = what.dialect().unwrap_or(Dialect::Anthropic);
        let backs = callers.map(|caller| Arc::new(back(vendor, None, *caller, streams))).collect();
        let seeds = seed::kept(seeds(recorded, what));
        Self { what, number, seeds, backs, runs: 0, understood: 0, bytes: 0, micros: 0.0 }
    }

    fn name(&self) -> String {
        match self.what {
            What::Request(dialect) => format!("requests of {}", name(dialect)),
            What::Answer(dialect) => format!("answers of {}", name(dialect)),
            What::Stream(dialect) => format!("streams of {}", name(dialect)),
            What::Framing => "framing of events".to_owned(),
        }
    }

    fn turn(&mut self, rounds: std::ops::Range<u64>) -> Result {
        let start = Instant::now();
        let before = crate::cost::used(start);
        let (mut bytes, mut room) = (Vec::new(), Room::default());
        for round in rounds {
            let mut random = Random::of(self.number, round);
            mutate::mutated(&self.seeds, &mut random, &mut bytes);
            let fed = catch_unwind(AssertUnwindSafe(|| {
                feed(self.what, &self.backs, &bytes, &mut random, &mut room)
            }));
            match fed {
                Ok(Ok(understood)) => self.understood += u64::from(understood),
                Ok(Err(sentence)) => return Err(self.broken(round, &sentence, &bytes)),
                Err(_) => return Err(self.broken(round, "panics", &bytes)),
            }
            self.runs += 1;
            self.bytes += u64::try_from(bytes.len()).unwrap_or_default();
        }
        self.micros += crate::cost::used(start) - before;
        Ok(())
    }

    fn broken(&self, round: u64, sentence: &str, bytes: &[u8]) -> Box<dyn std::error::Error + Send + Sync> {
        fail(format!("{}, round {round}: {sentence}\n{}", self.name(), String::from_utf8_lossy(bytes)))
    }
}

/// A table of how all are doing.
fn figures(decoders: &[Decoder]) -> String {
    let mut out = String::from(
        "| decoder | runs | understood | bytes, mean | µs of CPU each |\n|---|---|---|---|---|\n",
    );
    for decoder in decoders {
        let runs = decoder.runs.max(1);
        _ = writeln!(
            out,
            "| {} | {} | {:.0} % | {} | {:.1} |",
            decoder.name(),
            decoder.runs,
            100.0 * ratio(decoder.understood, runs),
            decoder.bytes / runs,
            decoder.micros / ratio(runs, 1)
        );
    }
    out
}

/// Most memory that this process had, in MB, where the system tells it.
fn peak() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().split(' ').next()?.parse::<u64>().ok().map(|kib| kib / 1024)
}

fn seeds(recorded: &Recorded, what: What) -> Vec<Seed> {
    let exchanges = |streams: bool| {
        let dialect = what.dialect();
        let exchanges = recorded.exchanges.iter();
        exchanges.filter(move |exchange| {
            exchange.streams == streams && dialect.is_none_or(|own| own == exchange.dialect)
        })
    };
    match what {
        What::Request(dialect) => {
            let calls = recorded.calls.iter().filter(|call| call.dialect == dialect);
            calls.filter_map(|call| Seed::of_body(&call.body.to_string())).collect()
        }
        What::Answer(_) => exchanges(false).filter_map(|exchange| Seed::of_body(&exchange.body)).collect(),
        What::Stream(_) | What::Framing => {
            exchanges(true).map(|exchange| Seed::of_stream(&exchange.body)).collect()
        }
    }
}

#[cfg(test)]
mod tests;
