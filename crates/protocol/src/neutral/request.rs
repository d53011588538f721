//! A request to generate, apart from its spelling.

use serde_json::Value;

use super::{Part, Tool, ToolChoice};
use crate::Dialect;

/// Who speaks in a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions of the operator. They may stand anywhere in a conversation.
    System,
    /// The same in OpenAI's newer spelling.
    Developer,
    /// The person or program, and results of its tools.
    User,
    /// The model.
    Assistant,
}

/// What one speaker said at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Who.
    pub role: Role,
    /// OpenAI Chat's `name` of the speaker.
    pub name: Option<String>,
    /// What, in order.
    pub parts: Vec<Part>,
    /// Where it stood in the caller's body: `messages[3]`; for naming losses and faults.
    pub at: String,
    /// Where each part stood, where one turn is told by several items of the body (Responses); else empty.
    pub places: Vec<String>,
}

impl Turn {
    /// Where a part stood in the caller's body.
    pub fn place(&self, number: usize) -> String {
        if let Some(place) = self.places.get(number) {
            return place.clone();
        }
        let at = &self.at;
        match at.as_str() {
            "system" => format!("system[{number}]"),
            "instructions" | "input" => at.clone(),
            _ if at.starts_with("contents") || at.starts_with("systemInstruction") => {
                format!("{at}.parts[{number}]")
            }
            _ => format!("{at}.content[{number}]"),
        }
    }
}

/// How hard to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Not at all.
    None,
    /// OpenAI's `minimal`.
    Minimal,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// OpenAI's `xhigh`.
    XHigh,
    /// Anthropic's `max`.
    Max,
}

impl Effort {
    /// Each level with the thinking budget in tokens that stands for it where only budgets are known.
    const BUDGETS: [(Self, u64); 7] = [
        (Self::None, 0),
        (Self::Minimal, 512),
        (Self::Low, 1_024),
        (Self::Medium, 8_192),
        (Self::High, 24_576),
        (Self::XHigh, 32_768),
        (Self::Max, 65_536),
    ];

    /// Tokens of thinking that stand for it.
    pub fn budget(self) -> u64 {
        Self::BUDGETS.iter().find(|(effort, _)| *effort == self).map_or(0, |(_, budget)| *budget)
    }

    /// The highest level that a budget pays for; a budget of more than nothing is at least `Minimal`.
    pub fn of_budget(budget: u64) -> Self {
        let paid = Self::BUDGETS.iter().rev().find(|(_, least)| *least <= budget);
        let effort = paid.map_or(Self::None, |(effort, _)| *effort);
        if budget > 0 { effort.max(Self::Minimal) } else { effort }
    }
}

/// Wishes for the model's thinking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// How hard.
    pub effort: Option<Effort>,
    /// At most so many tokens (Anthropic `budget_tokens`, Gemini `thinkingBudget`).
    pub budget: Option<u64>,
    /// The model decides how much (Anthropic `adaptive`, Gemini's budget of -1).
    pub adaptive: bool,
    /// Thinking is switched off in so many words.
    pub off: bool,
    /// Whether the caller wants to see it: Gemini `includeThoughts`, Responses `summary`, Anthropic `display`.
    pub shown: Option<bool>,
    /// The word for how it is shown: `auto`, `concise`, `detailed`, `summarized`.
    pub summary: Option<String>,
}

/// The form of the answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    /// Any JSON object.
    JsonObject,
    /// JSON by a schema.
    JsonSchema {
        /// OpenAI wants a name; others have none.
        name: Option<String>,
        /// For the model.
        description: Option<String>,
        /// JSON Schema (types in lower case).
        schema: Value,
        /// Whether the vendor must enforce it.
        strict: Option<bool>,
    },
}

/// How tokens are chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    /// 0 to 2 (Anthropic: to 1).
    pub temperature: Option<f64>,
    /// 0 to 1.
    pub top_p: Option<f64>,
    /// Positive.
    pub top_k: Option<u64>,
    /// For repeatable answers.
    pub seed: Option<i64>,
    /// -2 to 2.
    pub presence_penalty: Option<f64>,
    /// -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Answers wanted; 1 if absent.
    pub n: Option<u64>,
    /// Whether log probabilities are wanted.
    pub logprobs: Option<bool>,
    /// How many alternatives of each token.
    pub top_logprobs: Option<u64>,
}

/// A request to generate.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "independent wishes of a caller, not one state")]
pub struct Request {
    /// The dialect that it came in.
    pub dialect: Dialect,
    /// The model as the caller named it. Encoders get the upstream's name beside it.
    pub model: String,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// The conversation, instructions included, in order. Instructions that the dialect keeps apart come first.
    pub turns: Vec<Turn>,
    /// What the model may use.
    pub tools: Vec<Tool>,
    /// Which of it.
    pub tool_choice: Option<ToolChoice>,
    /// Whether several tools may be called in one answer.
    pub parallel_tools: Option<bool>,
    /// Most tokens of the answer, thinking included.
    pub max_tokens: Option<u64>,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// How much to think.
    pub reasoning: Option<Reasoning>,
    /// The form of the answer.
    pub format: Option<Format>,
    /// OpenAI's `verbosity`.
    pub verbosity: Option<String>,
    /// A stable name of the end user: Anthropic `metadata.user_id`, OpenAI `safety_identifier` or `user`.
    pub user: Option<String>,
    /// OpenAI's `metadata` map.
    pub metadata: Option<Value>,
    /// Vendor's class of service: `auto`, `standard_only`, `default`, `flex`, `priority`.
    pub service_tier: Option<String>,
    /// Groups requests for the vendor's prompt cache.
    pub cache_key: Option<String>,
    /// What the answer may consist of: `text`, `image`, `audio` (lower case); empty if not said.
    pub modalities: Vec<String>,
    /// Chat's `stream_options.include_usage`: whether the caller wants the last chunk with the counts.
    pub include_usage: bool,
    /// Responses' `include` asks for encrypted reasoning.
    pub include_sealed: bool,
    /// Chat: the tools were given as `functions`, so a call is answered as `function_call`.
    pub legacy_functions: bool,
    /// Responses: continue that answer.
    pub previous: Option<String>,
    /// Responses: the conversation is not to be answered but compacted; where in the caller's body that was asked.
    pub compact: Option<String>,
    /// Fields that the neutral form does not hold, by the path in the caller's body. An encoder of another
    /// dialect reports each as lost; `Hint` or `Meaning` is the decoder's judgement.
    pub rest: Vec<Rest>,
}

/// A field that the neutral form does not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Rest {
    /// Its path in the caller's body.
    pub field: String,
    /// As it was written.
    pub value: Value,
    /// How much its loss matters.
    pub weight: super::Weight,
}

impl Request {
    /// An empty request.
    pub fn new(dialect: Dialect, model: impl Into<String>, stream: bool) -> Self {
        Self {
            dialect,
            model: model.into(),
            stream,
            turns: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_tools: None,
            max_tokens: None,
            sampling: Sampling::default(),
            reasoning: None,
            format: None,
            verbosity: None,
            user: None,
            metadata: None,
            service_tier: None,
            cache_key: None,
            modalities: Vec::new(),
            include_usage: false,
            include_sealed: false,
            legacy_functions: false,
            previous: None,
            compact: None,
            rest: Vec::new(),
        }
    }

    /// The tool's name for a call's id: Gemini wants it beside each result.
    pub fn called(&self, id: &str) -> Option<&str> {
        self.turns.iter().flat_map(|turn| &turn.parts).find_map(|part| match part {
            Part::ToolCall { id: own, name, .. } if own == id => Some(name.as_str()),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Effort;

    #[test]
    fn every_effort_is_found_again_by_its_budget() {
        for (effort, budget) in Effort::BUDGETS {
            assert_eq!((effort.budget(), Effort::of_budget(budget)), (budget, effort));
        }
        assert_eq!(Effort::of_budget(1), Effort::Minimal);
        assert_eq!(Effort::of_budget(31_999), Effort::High);
        assert_eq!(Effort::of_budget(u64::MAX), Effort::Max);
    }
}
