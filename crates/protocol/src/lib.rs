//! The vendors' wire formats as bytes: reading what routing needs from a request, counting tokens in an
//! answer, writing errors and model lists in each dialect, and translating between dialects.
//!
//! Pure and synchronous: no IO, no clock, no tasks. Only translation builds a tree
//! of a whole body, and nothing here decides anything (who may call what, where a request goes).

pub mod error;
pub mod eventstream;
pub mod gate;
pub mod gemini;
pub mod hosted;
mod json;
pub mod meter;
pub mod models;
pub mod multipart;
pub mod neutral;
pub mod probe;
pub mod rectify;
pub mod session;
pub mod splice;
pub mod sse;
pub mod translate;

#[cfg(test)]
mod recorded;

pub use types::dialect::{Dialect, Endpoint};
