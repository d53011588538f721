//! Takes the listening address, and names whoever holds it (ST-04).

use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::{BootError, Exit};
use crate::listener;

/// Binds, or explains why not.
pub(super) fn take(address: SocketAddr) -> Result<TcpListener, BootError> {
    listener::bind(address).map_err(|error| {
        let port = address.port();
        match error.kind() {
            ErrorKind::AddrInUse => {
                let holder = holder(port);
                let (by, whom) = match &holder {
                    Some((pid, name)) => (format!(" by process {pid} ({name})"), format!("process {pid} ({name})")),
                    None => (String::new(), "the program that uses it".to_owned()),
                };
                BootError::new(
                    Exit::Port,
                    format!("cannot listen on {address}: port {port} is already in use{by}"),
                    format!("Stop {whom}, or set PORT to a free port."),
                )
            }
            ErrorKind::PermissionDenied => BootError::new(
                Exit::Port,
                format!("cannot listen on {address}: EACCES: permission denied (ports below 1024 need a privilege)"),
                "Set PORT to 1024 or above, or grant CAP_NET_BIND_SERVICE.".to_owned(),
            ),
            ErrorKind::AddrNotAvailable => BootError::new(
                Exit::Port,
                format!("cannot listen on {address}: this machine has no such address"),
                "Set HOST to an address of this machine, such as 127.0.0.1 or 0.0.0.0.".to_owned(),
            ),
            _ => BootError::new(
                Exit::Port,
                format!("cannot listen on {address}: {error}"),
                "Check HOST and PORT and start again.".to_owned(),
            ),
        }
    })
}

/// Process id and name of the listener on a port, where `/proc` lets us see it.
fn holder(port: u16) -> Option<(u32, String)> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .find_map(|table| listening_inode(&table, port))?;
    let wanted = format!("socket:[{inode}]");
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(descriptors) = fs::read_dir(process.path().join("fd")) else { continue };
        let holds = descriptors
            .flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .any(|target| target.as_os_str() == wanted.as_str());
        if holds {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some((pid, name.trim().to_owned()));
        }
    }
    None
}

/// The inode of the socket that listens (state 0A) on this port, in the form of `proc_net_tcp(5)`.
fn listening_inode(table: &str, port: u16) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let (_, hex) = local.rsplit_once(':')?;
        (*state == "0A" && u16::from_str_radix(hex, 16).ok()? == port).then(|| inode.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_inode_of_a_listener_is_found_in_the_kernels_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
             0: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 111 1\n   \
             1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1\n";
        assert_eq!(super::listening_inode(table, 8080), Some(222));
        assert_eq!(super::listening_inode(table, 8081), None);
    }
}
