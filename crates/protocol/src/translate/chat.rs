//! OpenAI Chat Completions: reading and writing requests, answers and streams.
//!
//! Read as `OpenAI` and the many compatible servers spell it: content as a text or as parts, thinking as
//! `reasoning_content`, `reasoning`, `reasoning_details` or `OpenAI`-foreign parts. Written so that the strictest
//! of those servers takes it: content is a text wherever it is text only.

mod content;
mod message;
mod model;
mod proof;
mod read_answer;
mod read_request;
mod reader;
mod stop;
mod tools;
mod usage;
mod write_answer;
mod write_message;
mod write_request;
mod write_tools;
mod writer;

#[cfg(test)]
mod tests;

pub(super) use read_answer::read_answer;
pub(super) use read_request::read_request;
pub(super) use reader::Reader;
pub(super) use write_answer::write_answer;
pub(super) use write_request::write_request;
pub(super) use writer::Writer;
