//! How many tokens a request has, for models whose vendor has no counter to ask.
//!
//! Texts are cut by `OpenAI`'s own vocabularies, which ship with this crate; what vendors put around them (the frame of
//! a message, the way tools are told to the model) is as they published it or as recorded exchanges show. Pure and
//! synchronous: the first use loads a vocabulary (some tenths of a second, some tens of megabytes), and a large request
//! takes a while, so callers keep it off threads that others wait for.

mod count;
mod image;
mod picture;
mod text;
mod tools;
mod vocabulary;

pub use count::{Count, LEAST_TOKENS, WITHIN_PERCENT, count};
pub use vocabulary::Vocabulary;

#[cfg(test)]
mod recorded;
