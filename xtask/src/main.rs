//! `cargo xtask`: builds, runs, tests and measures Tollgate with one command each.
//!
//! Everything it does is printed as a command line first, so each step can be repeated by hand. It holds no
//! build logic that `cargo` itself could hold, and it never publishes or deploys anything.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "talking to the terminal is what this program is for"
)]
#![expect(clippy::disallowed_methods, reason = "the environment of a build tool is its configuration")]

mod bench;
mod bundle;
mod debian;
mod dev;
mod edges;
mod end2end;
mod files;
mod postgres;
mod prices;
mod process;
mod reload;
mod report;
mod run;
mod shell;
mod steps;
mod toolchain;

use std::process::ExitCode;

use crate::shell::Failure;

const HELP: &str = "\
cargo xtask <command>

  run [--release] [-- <arguments>]   build everything, start the gateway with ./data, print address and admin token
  dev                                the same, rebuilt and restarted whenever a source file changes
  test [step…]                       everything CI checks, cheap steps first; `test --list` names the steps
  bundle [--release] [--force]       the dashboard's browser half, into target/site/pkg
  postgres                           a throw-away PostgreSQL for tests by hand; prints its address, ends with Enter
  prices <list.json> --origin <text> the default price table, made anew from a list in LiteLLM's format
  resilience [--write] [--requests N] [--aborts N] [--only <text>]
                                     what faults of upstreams cost callers; --write renews docs/resilience.md
  conformance [--write] [--misses N] [--cost] [--fuzz N [--from N] [--only NAME]]
                                     what of real exchanges survives translation, for each pair of dialects; --write
                                     renews docs/conformance.md, --cost measures its CPU, --fuzz feeds broken bytes
  bench [--write] [--quick] [--rounds N]
                                     direct, nginx and Tollgate side by side on loopback; --write renews docs/bench.md
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    let outcome = match command {
        "run" => run::run(rest),
        "dev" => dev::dev(rest),
        "test" => steps::test(rest),
        "bundle" => bundle::command(rest),
        "bench" => bench::bench(rest),
        "conformance" => bench::conformance(rest),
        "resilience" => bench::resilience(rest),
        "postgres" => steps::postgres_until_enter(),
        "prices" => prices::prices(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(Failure::new(format!("there is no command '{other}'\n\n{HELP}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}
