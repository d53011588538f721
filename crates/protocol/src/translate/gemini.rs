//! Gemini's `generateContent`: reading and writing requests, answers and streams.

mod cite;
mod logprobs;
mod media;
mod model;
mod piece;
mod read_config;
mod read_parts;
mod read_request;
mod read_tools;
mod reader;
mod schema;
pub(super) mod spelling;
mod stop;
mod write_answer;
mod write_config;
mod write_request;
mod write_tools;
mod write_turns;
mod writer;

pub(super) use read_request::read_request;
pub(super) use reader::{Reader, read_answer};
pub(super) use write_answer::write_answer;
pub(super) use write_request::write_request;
pub(super) use writer::Writer;

#[cfg(test)]
mod tests;
