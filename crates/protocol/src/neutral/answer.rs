//! A whole answer, apart from its spelling.

use serde_json::Value;
use types::request::TokenUsage;

use super::{Delta, Event, Opening, Part};

/// Why the model stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It was done.
    End,
    /// The token limit was met.
    MaxTokens,
    /// A stop text was met; which, where the vendor says it.
    Sequence(Option<String>),
    /// It calls tools.
    ToolUse,
    /// It, or a filter of the vendor's, declined.
    Refusal,
    /// A long turn was paused and can be continued (Anthropic).
    Pause,
    /// The context window is full.
    ContextFull,
    /// The vendor's own word for something else.
    Other(String),
}

/// One of the answers that were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What it consists of.
    pub parts: Vec<Part>,
    /// Why it stopped; `None` if the vendor did not say.
    pub stop: Option<Stop>,
    /// Log probabilities in OpenAI Chat's shape.
    pub logprobs: Option<Value>,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The vendor's id of it; empty if none.
    pub id: String,
    /// The model that the vendor names; empty if none.
    pub model: String,
    /// Usually one.
    pub choices: Vec<Choice>,
    /// What it used; `None` if the vendor said nothing.
    pub usage: Option<TokenUsage>,
    /// Class of service that was given.
    pub service_tier: Option<String>,
}

impl Answer {
    /// The same answer as the events of a stream, for callers that asked for one.
    pub fn into_events(self) -> Vec<Event> {
        let mut events = vec![Event::Start { id: self.id, model: self.model, usage: self.usage }];
        for (choice, answer) in (0_u32..).zip(self.choices) {
            for (index, part) in (0_u32..).zip(answer.parts) {
                let (opening, deltas) = Opening::of(part);
                events.push(Event::Open { choice, index, opening });
                events.extend(deltas.into_iter().map(|delta| Event::Delta { choice, index, delta }));
                events.push(Event::Close { choice, index });
            }
            if let Some(logprobs) = answer.logprobs {
                events.push(Event::Logprobs { choice, value: logprobs });
            }
            if let Some(stop) = answer.stop {
                events.push(Event::Stop { choice, stop });
            }
        }
        if let Some(usage) = self.usage {
            events.push(Event::Usage(usage));
        }
        if let Some(tier) = self.service_tier {
            events.push(Event::ServiceTier(tier));
        }
        events.push(Event::End);
        events
    }

    /// Puts a stream's events together again. Events after the end are ignored, an error is the caller's matter.
    pub fn from_events(events: impl IntoIterator<Item = Event>) -> Self {
        let mut answer = Self {
            id: String::new(),
            model: String::new(),
            choices: Vec::new(),
            usage: None,
            service_tier: None,
        };
        // Parts by choice and index, in the order in which they were opened.
        let mut parts: Vec<((u32, u32), Part)> = Vec::new();
        let mut ends: Vec<(u32, Option<Stop>, Option<Value>)> = Vec::new();
        for event in events {
            match event {
                Event::Start { id, model, usage } => {
                    answer.id = id;
                    answer.model = model;
                    answer.usage = usage;
                }
                Event::Open { choice, index, opening } => parts.push(((choice, index), opening.empty())),
                Event::Delta { choice, index, delta } => {
                    if let Some((_, part)) =
                        parts.iter_mut().rev().find(|(place, _)| *place == (choice, index))
                    {
                        delta.append_to(part);
                    }
                }
                Event::Stop { choice, stop } => ends.push((choice, Some(stop), None)),
                Event::Logprobs { choice, value } => ends.push((choice, None, Some(value))),
                Event::Usage(usage) => answer.usage = Some(usage),
                Event::ServiceTier(tier) => answer.service_tier = Some(tier),
                Event::End => break,
                Event::Close { .. } | Event::Ping | Event::Error(_) => {}
            }
        }
        for ((choice, _), part) in parts {
            if let Some(choice) = answer.choice(choice) {
                choice.parts.push(part);
            }
        }
        for (choice, stop, logprobs) in ends {
            if let Some(choice) = answer.choice(choice) {
                choice.stop = stop.or(choice.stop.take());
                choice.logprobs = match (choice.logprobs.take(), logprobs) {
                    (Some(old), Some(new)) => Some(super::event::join_logprobs(old, new)),
                    (old, new) => new.or(old),
                };
            }
        }
        answer
    }

    /// The choice of that number, made if it is missing. Absurd numbers are refused.
    fn choice(&mut self, number: u32) -> Option<&mut Choice> {
        /// Most answers to one request that are believed.
        const MAX: usize = 128;
        let number = usize::try_from(number).ok().filter(|n| *n < MAX)?;
        while self.choices.len() <= number {
            self.choices.push(Choice { parts: Vec::new(), stop: None, logprobs: None });
        }
        self.choices.get_mut(number)
    }
}

impl Delta {
    /// Adds it to the part that it belongs to; what does not fit is dropped.
    fn append_to(self, part: &mut Part) {
        match (self, part) {
            (
                Self::Text(more),
                Part::Text { text, .. } | Part::Thinking { text, .. } | Part::Refusal { text },
            ) => text.push_str(&more),
            (Self::Text(more), Part::ToolCall { arguments, .. }) => arguments.push_str(&more),
            (Self::Citation(dialect, value), Part::Text { citations, .. }) => {
                citations.push((dialect, value));
            }
            (
                Self::Seal(new),
                Part::Text { seal, .. } | Part::Thinking { seal, .. } | Part::ToolCall { seal, .. },
            ) => *seal = Some(new),
            _ => {}
        }
    }
}
