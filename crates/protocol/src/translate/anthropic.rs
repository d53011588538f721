//! Anthropic Messages: reading and writing requests, answers and streams.
//!
//! Only the shapes live here. Which tools were renamed, and in which order parts may come, is decided by the
//! modules beside it.

mod citation;
mod model;
mod output_schema;
mod pairs;
mod read_answer;
mod read_parts;
mod read_request;
mod read_settings;
mod read_tools;
mod reader;
mod spelling;
mod stop;
mod thought;
mod usage;
mod write_answer;
mod write_parts;
mod write_request;
mod write_settings;
mod write_thinking;
mod write_tools;
mod write_turns;
mod writer;

#[cfg(test)]
mod tests;

pub(super) use read_answer::read_answer;
pub(super) use read_request::read_request;
pub(super) use reader::Reader;
pub(super) use write_answer::write_answer;
pub(super) use write_request::write_request;
pub(super) use writer::Writer;
