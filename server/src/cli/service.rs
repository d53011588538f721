//! `tollgate service print-unit`: the unit file for systemd, so that the service survives the end of a login
//! session (ST-08).

use clap::Subcommand;

use super::print;

/// The unit as shipped; also in `server/systemd` for packagers.
const UNIT: &str = include_str!("../../systemd/tollgate.service");

/// Work with the service manager.
#[derive(Debug, Subcommand)]
pub(super) enum Service {
    /// Print the systemd unit.
    PrintUnit,
}

pub(super) fn run(command: &Service) {
    match command {
        Service::PrintUnit => print(UNIT.trim_end()),
    }
}
