//! `tollgate config validate|show`: the same judgement as at start, without starting.

use clap::Subcommand;

use super::print;
use crate::boot::BootError;
use crate::config::{Inputs, ServerConfig};

/// Look at the configuration without starting.
#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// Say everything that is wrong, each with its place; exit code 0 or 10.
    Validate,
    /// Print every effective value with its source; secrets are masked.
    Show {
        /// Accepted for scripts; secrets are always masked.
        #[arg(long)]
        redacted: bool,
    },
}

pub(super) fn run(command: &Config, inputs: Inputs) -> Result<(), BootError> {
    let config = ServerConfig::load(inputs)?;
    match command {
        Config::Validate => {
            for warning in &config.warnings {
                print(&format!("warning: {warning}"));
            }
            print(&format!("the configuration is valid ({})", config.profile()));
        }
        Config::Show { redacted: _ } => print(&table(&config)),
    }
    Ok(())
}

fn table(config: &ServerConfig) -> String {
    let name_width = config.lines.iter().map(|line| line.name.len()).max().unwrap_or(0);
    let value_width = config.lines.iter().map(|line| line.value.chars().count()).max().unwrap_or(0);
    let line = |line: &types::system::ConfigLine| {
        format!("{:name_width$}  {:value_width$}  {}", line.name, line.value, line.source)
    };
    config.lines.iter().map(line).collect::<Vec<_>>().join("\n")
}
