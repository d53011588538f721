//! `tollgate healthcheck`: asks the running gateway, for container health checks that have no curl.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use super::print;
use crate::boot::{BootError, Exit};
use crate::config::ServerConfig;

/// For the connection and again for the answer.
const PATIENCE: Duration = Duration::from_secs(4);

pub(super) fn run(config: &ServerConfig) -> Result<(), BootError> {
    let address = reachable(config.listen_address());
    match ask(address) {
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

/// "All addresses" is no address to connect to.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn ask(address: SocketAddr) -> io::Result<u16> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    line.split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| io::Error::other("no HTTP answer"))
}
