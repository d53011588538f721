//! The neutral form: what a request, an answer and a stream say, apart from how a dialect spells it.
//!
//! It is a superset of the four dialects where their meanings meet. What only one of them knows travels as
//! [`Part::Native`] or [`Tool::Native`] and is reported when another dialect has to drop it. Same-dialect
//! traffic never takes this form: its bytes pass as they came.

mod answer;
mod event;
mod loss;
mod part;
mod request;
mod sealed;
mod sequence;
mod tool;

pub use answer::{Answer, Choice, Stop};
pub use event::{Delta, Event, Opening};
pub use loss::{Loss, Losses, Weight};
pub use part::{Media, MediaKind, Part, Source};
pub use request::{Effort, Format, Reasoning, Request, Rest, Role, Sampling, Turn};
pub use sealed::Sealed;
pub use sequence::{Overlap, Sequence};
pub use tool::{Tool, ToolChoice, ToolKind, WebSearch};
