//! OpenAI Responses: reading and writing requests, answers and streams.
//!
//! Conversations are never left with the vendor: requests go out with `store: false` and carry everything.

mod annotation;
mod choice;
mod content;
mod echo;
mod given;
mod input;
mod live;
mod media;
mod output;
mod parts;
mod read_answer;
mod read_request;
mod reader;
mod said;
mod settings;
mod stored;
mod summary;
mod tools;
mod usage;
mod write_items;
mod write_request;
mod writer;

pub(super) use read_answer::read_answer;
pub(super) use read_request::read_request;
pub(super) use reader::Reader;
pub use stored::{continued, items_of};
pub(super) use write_request::write_request;
pub(super) use writer::{Writer, write_answer};

#[cfg(test)]
mod tests;
