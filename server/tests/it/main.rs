//! One integration binary: the harness, then a file per behaviour.
//!
//! `cfg(test)` is always on here; it is written down so that the lints know it too.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod auth;
#[cfg(test)]
mod authorization;
#[cfg(test)]
mod boot;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod cassettes;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod client_faults;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod data_path;
#[cfg(test)]
mod edge;
#[cfg(test)]
mod handbook;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod headers;
#[cfg(test)]
mod hosted;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod metering;
#[cfg(test)]
mod models;
#[cfg(test)]
mod money;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod process;
#[cfg(test)]
mod rest;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod routing;
#[cfg(test)]
mod smuggling;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod translation;
#[cfg(test)]
mod upstream_faults;
#[cfg(test)]
mod websocket;
