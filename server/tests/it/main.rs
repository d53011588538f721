//! One integration binary: the harness, then a file per behaviour.
//!
//! `cfg(test)` is always on here; it is written down so that the lints know it too.

#[cfg(test)]
mod boot;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod edge;
#[cfg(test)]
mod handbook;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod process;
#[cfg(test)]
mod smuggling;
#[cfg(test)]
mod tidy;
