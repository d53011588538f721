//! `tollgate healthcheck`: asks the running gateway, for container health checks that have no curl.

use std::net::SocketAddr;
use std::time::Duration;

use super::print;
use super::running::Running;
use crate::boot::{BootError, Exit};
use crate::config::ServerConfig;

/// For the connection and again for the answer.
const PATIENCE: Duration = Duration::from_secs(4);

pub(super) fn run(config: &ServerConfig) -> Result<(), BootError> {
    let gateway = Running::of(config);
    let address = gateway.address();
    match gateway.call("GET", "/readyz", None, PATIENCE).map(|answer| answer.status) {
        Ok(200) => {
            print("ready");
            Ok(())
        }
        Ok(status) => Err(not_ready(address, &format!("/readyz answered {status}"))),
        Err(error) => Err(not_ready(address, &error.to_string())),
    }
}

fn not_ready(address: SocketAddr, why: &str) -> BootError {
    BootError::new(
        Exit::Other,
        format!("Tollgate at {address} is not ready: {why}"),
        "Start it, or look into its log.",
    )
}
