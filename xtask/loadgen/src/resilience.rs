//! `cargo xtask resilience`: what faults of upstreams cost callers, with the real program and the fake vendor.
//!
//! Counts are what it is about; they do not depend on the machine. Times and memory do.

mod faults;
mod page;
mod pool;
mod weight;

use std::path::PathBuf;

use crate::Result;

/// How much is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    /// Requests for each fault.
    requests: u64,
    /// Requests in each total outage.
    outage: u64,
    /// Streams that are left by their callers.
    aborts: u64,
    /// Streams open at once.
    open: u64,
}

const FULL: Counts = Counts { requests: 20_000, outage: 5_000, aborts: 100_000, open: 800 };

/// Measures everything, prints the page and, with `--write`, keeps it. `--requests N` and `--aborts N` make it
/// shorter; `--only <text>` measures only the faults whose name contains it.
pub(crate) async fn run(args: &[String]) -> Result {
    let value = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1));
    let number = |name: &str, usual: u64| value(name).map_or(Ok(usual), |text| text.parse());
    let requests = number("--requests", FULL.requests)?;
    let outage = FULL.outage.min(requests);
    let counts = Counts { requests, outage, aborts: number("--aborts", FULL.aborts)?, ..FULL };
    let binary = PathBuf::from(std::env::var_os("TOLLGATE_BIN").ok_or("TOLLGATE_BIN names no program")?);
    let only = value("--only").map(String::as_str);
    let mut lines = Vec::new();
    for fault in faults::all().into_iter().filter(|fault| only.is_none_or(|only| fault.name.contains(only))) {
        let line = faults::measure(&binary, &fault, counts.requests).await?;
        println!("{}", line.row());
        lines.push(line);
    }
    let mut outages = Vec::new();
    for (name, behaviour) in faults::outages() {
        let line = faults::outage(&binary, name, behaviour, counts.outage).await?;
        println!("{}", line.row());
        outages.push(line);
    }
    let weights = weight::measure(&binary, counts).await?;
    let text = page::markdown(counts, &lines, &outages, &weights);
    println!("\n{text}");
    if args.iter().any(|arg| arg == "--write") {
        std::fs::write("docs/resilience.md", text)?;
        println!("written to docs/resilience.md");
    }
    Ok(())
}
