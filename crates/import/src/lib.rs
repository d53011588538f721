//! Reads what other gateways keep into one plan: which providers there are, and which credentials they use.
//!
//! Pure: no files, no sockets, no clock, no cipher. It decides nothing about what is here already and stores nothing.
//! A file is somebody else's, so everything is bounded (size, entries, nesting, what an archive unpacks to), nothing
//! panics, and no error, note or `Debug` repeats a value of it: any of them may be a secret in the wrong place. Field
//! names, places, names of environment variables and numbers of types are told.

mod archive;
mod auth_folder;
mod channel_secret;
mod channel_type;
mod channels;
mod detect;
mod folder;
mod hub;
mod litellm;
mod litellm_secret;
mod litellm_vendor;
mod own;
mod plan;
mod relay;
mod tree;
mod vendor;
mod yaml;

pub use detect::{read, read_as};
pub use own::{Exported, HEADER, is_sealed, write};
pub use plan::{Auth, Fault, Format, Note, Plan, PlannedCredential, PlannedProvider};

/// Bytes of a file, as given and as unpacked from an archive.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Providers and credentials together.
pub const MAX_ENTRIES: usize = 5_000;
/// Files in an archive.
pub const MAX_FILES: usize = 2_000;
/// Values nested in each other.
pub const MAX_DEPTH: usize = 64;
/// Notes that are kept; the rest is counted.
pub const MAX_NOTES: usize = 500;

#[cfg(test)]
mod tests;
