//! `cargo xtask bench`: measures direct, nginx and Tollgate side by side, in one run, on loopback. With `resilience`
//! (`cargo xtask resilience`) it measures instead what faults of an upstream cost callers.
//!
//! Absolute figures drift from run to run; only ratios within one run count, so everything is measured in rounds
//! that visit each target in turn. It drives a real release binary over real sockets and knows none of its code.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the terminal is where this program reports")]

mod books;
mod checks;
mod client;
mod load;
mod machine;
mod measure;
mod process;
mod report;
mod request;
mod resilience;
mod stats;
mod stream;
mod target;
mod upstream;

use std::process::ExitCode;
use std::time::Duration;

/// What can go wrong in a bench ends it, with its sentence.
pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How long and how often things are measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    pub(crate) warm: Duration,
    pub(crate) run: Duration,
    pub(crate) paced_streams: usize,
    pub(crate) open_streams: usize,
    /// Requests in the log when the restart is timed.
    pub(crate) log_rows: u64,
    /// How long idle credentials are looked after, without checks and with them.
    pub(crate) checks: Duration,
}

const FULL: Effort = Effort {
    rounds: 5,
    warm: Duration::from_secs(1),
    run: Duration::from_secs(4),
    paced_streams: 400,
    open_streams: 2000,
    log_rows: 1_000_000,
    checks: Duration::from_mins(2),
};

const QUICK: Effort = Effort {
    rounds: 1,
    warm: Duration::from_millis(300),
    run: Duration::from_secs(1),
    paced_streams: 400,
    open_streams: 2000,
    log_rows: 50_000,
    checks: Duration::from_secs(30),
};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| args.iter().any(|arg| arg == name);
    // One thread: the machine's other cores belong to what is measured.
    let outcome =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Into::into).and_then(
            |runtime| {
                if has("upstream") {
                    return runtime.block_on(upstream::serve());
                }
                if has("resilience") {
                    return runtime.block_on(resilience::run(&args));
                }
                let mut effort = if has("--quick") { QUICK } else { FULL };
                let after = args.iter().skip_while(|arg| *arg != "--rounds").nth(1);
                if let Some(rounds) = after.and_then(|text| text.parse().ok()) {
                    effort.rounds = rounds;
                }
                let figures = runtime.block_on(measure::all(effort))?;
                let text = report::markdown(&figures);
                println!("\n{text}");
                if has("--write") {
                    std::fs::write("docs/bench.md", text)?;
                    println!("written to docs/bench.md");
                }
                Ok(())
            },
        );
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
