//! The program: reads the command line, installs the log, and turns the outcome into an exit code.

use std::io::Write as _;
use std::process::ExitCode;

/// Gives memory back after a burst, which the system's allocator does not; `.cargo/config.toml` tunes it. Without
/// huge pages (`no_thp`): they would make 14 MB of what an idle process has barely touched resident.
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
