//! The command line. Commands only read the configuration and call; what they do lives in their own modules.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::boot::{BootError, Exit};
use crate::config::{Inputs, ServerConfig};

mod audit;
mod config;
mod database;
mod doctor;
mod healthcheck;
mod reset;
mod running;
mod secrets;
mod serve;
mod service;
mod transfer;

/// A self-hosted gateway for AI model traffic.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version = env!("CARGO_PKG_VERSION"), about, long_about = None)]
struct Cli {
    #[command(flatten)]
    files: Files,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args, Debug)]
struct Files {
    /// Configuration file; `tollgate.toml` in the working directory if not given.
    #[arg(long, global = true, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Environment file; `.env` in the working directory if not given.
    #[arg(long, global = true, value_name = "PATH")]
    env_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the gateway (the default).
    Serve,
    /// Look at the configuration without starting.
    #[command(subcommand)]
    Config(config::Config),
    /// Examine what the gateway needs: network, pool, database, sign-in.
    Doctor {
        /// What to examine.
        #[arg(value_enum, default_value = "all")]
        part: doctor::Part,
    },
    /// Ask the running gateway whether it is ready; exit code 0 or 1.
    Healthcheck,
    /// Work on the database while the gateway is stopped.
    #[command(subcommand)]
    Db(database::Db),
    /// Check the invariants of the books; exit code 0 or 1. The gateway may run.
    Audit {
        /// How far back to look at single requests: a span (24h, 7d) or a time (RFC 3339).
        #[arg(long, value_name = "SPAN", default_value = "24h")]
        since: audit::Since,
    },
    /// Look after the stored secrets and the key that seals them.
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Empty database and journal after making a backup. The gateway must be stopped.
    Reset(reset::Reset),
    /// Take over what another gateway keeps, through the running gateway; exit code 0 or 1.
    Import(transfer::Import),
    /// Hand everything on in a sealed file, through the running gateway; exit code 0 or 1.
    Export(transfer::Export),
    /// Work with the service manager.
    #[command(subcommand)]
    Service(service::Service),
}

/// Runs the command that was asked for.
pub fn run() -> Result<(), BootError> {
    let cli = Cli::parse();
    let inputs = || Inputs::from_process(cli.files.config.as_deref(), cli.files.env_file.as_deref());
    let load = || ServerConfig::load(inputs()).map_err(BootError::from);
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(load()?, inputs),
        Command::Config(command) => config::run(&command, inputs()),
        Command::Doctor { part } => doctor::run(part, load()?),
        Command::Healthcheck => healthcheck::run(&load()?),
        Command::Db(command) => database::run(&command, &load()?),
        Command::Audit { since } => audit::run(since, &load()?),
        Command::Secrets(command) => secrets::run(command, load()?),
        Command::Reset(command) => reset::run(command, &load()?),
        Command::Import(command) => transfer::import(&command, load()?),
        Command::Export(command) => transfer::export(&command, load()?),
        Command::Service(command) => {
            service::run(&command);
            Ok(())
        }
    }
}

/// Runs a future on a runtime of its own.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, BootError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("tollgate").build();
    let runtime = runtime.map_err(|error| {
        BootError::new(
            Exit::Other,
            format!("no threads: {error}"),
            "Raise the limit on threads and start again.",
        )
    })?;
    Ok(runtime.block_on(future))
}

/// Prints a text as it is. A reader that has gone (`| head`) is no error.
fn print(text: &str) {
    let written = writeln!(std::io::stdout().lock(), "{text}");
    drop(written);
}
