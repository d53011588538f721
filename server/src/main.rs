//! The program: reads the command line, installs the log, and turns the outcome into an exit code.

use std::io::Write as _;
use std::process::ExitCode;

/// Trades memory for processor time; `docs/bench.md` holds what the sum comes to.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match server::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Past the log, which may be in another format or not there yet; the last line says what to do.
            let written = writeln!(std::io::stderr().lock(), "tollgate: {error}");
            drop(written);
            ExitCode::from(error.exit.code())
        }
    }
}
