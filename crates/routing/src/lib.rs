//! Which credential serves a request, and what a failure means for it: pure functions and state machines.
//!
//! It sends nothing, stores nothing, reads no clock and draws no chance: time and seeds are passed in, so every
//! choice can be repeated, explained and tried on what was recorded.

pub mod allowance;
pub mod backtest;
pub mod breaker;
pub mod client;
pub mod cooldown;
pub mod explain;
pub mod failure;
pub mod health;
pub mod latency;
pub mod order;
pub mod patience;
pub mod pattern;
mod reset;
pub mod retry;
pub mod rule;
pub mod schedule;
mod window;
