//! The vendors' wire formats as bytes: reading what routing needs from a request, counting tokens in an
//! answer, and writing errors and model lists in each dialect.
//!
//! Pure and synchronous: no IO, no clock, no tasks. It never builds a tree of a whole body, and it does
//! not decide anything (who may call what, where a request goes).

pub mod error;
pub mod gate;
pub mod gemini;
mod json;
pub mod meter;
pub mod models;
pub mod multipart;
pub mod probe;
pub mod rectify;
pub mod session;
pub mod splice;
pub mod sse;

#[cfg(test)]
mod recorded;

pub use types::dialect::{Dialect, Endpoint};
