//! What the service manager tells a process through its environment.

use std::ffi::OsString;

/// Where `READY=1` and its kin go (`sd_notify(3)`); none unless started by a service manager that asks for it.
pub fn notify_socket() -> Option<OsString> {
    std::env::var_os("NOTIFY_SOCKET").filter(|value| !value.is_empty())
}
