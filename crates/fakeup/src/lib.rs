//! A fake vendor on real sockets: speaks every dialect, answers well or badly as told, and keeps an invoice.
//!
//! Integration tests, end-to-end tests and benchmarks use the same server. It writes its own HTTP/1.1, because a
//! well-behaved server library cannot truncate, stall, lie about lengths or reset a connection. It does not judge
//! requests unless accounts were admitted (AWS keys, service accounts, clients): whatever arrives is answered and
//! written down. It speaks no TLS and no HTTP/2.
//!
//! Which behaviour a request meets is decided by [`Rule`]s, by the model's name (`fake-500`, `fake-cut`, …; see
//! [`scenario`]), or else it is answered as a vendor would.

mod amazon;
mod behaviour;
mod coding;
mod connection;
mod control;
mod doors;
mod invoice;
mod plan;
mod play;
mod request;
mod rule;
mod say;
pub mod scenario;
mod server;

pub use amazon::{AwsAccount, frame};
pub use behaviour::{Agent, Behaviour, Blob, Coding, Cut, Framing, Then, Tokens, ToolUse, Usage};
pub use coding::encode;
pub use doors::{Client, ServiceAccount};
pub use invoice::{End, Entry};
pub use plan::answer_body;
pub use request::{Call, Received};
pub use rule::Rule;
pub use server::{Fakeup, refused_url};

#[cfg(test)]
mod tests;
