//! What a model's name tells about the fields that its server takes.
//!
//! `OpenAI`'s models refuse some fields outright, and compatible servers know fewer fields than `OpenAI`. Only names
//! are looked at; an unknown name is taken for a plain compatible server.

use crate::neutral::Effort;

/// A model, by its name.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a name")]
pub(super) struct Model {
    /// Made by `OpenAI`: knows every field of the dialect, and the role `developer`.
    pub(super) openai: bool,
    /// `o1`, `o3`, `o4-mini`, …
    o_series: bool,
    /// Of `gpt-5.2`: 5 and 2.
    version: (u32, u32),
    /// `gpt-5-chat-latest` and its like do not reason.
    chat: bool,
    /// `gpt-5.1-codex-max` knew `xhigh` before its siblings.
    codex_max: bool,
    /// On Mistral's own server, where names have no maker before them. It wants call ids of nine letters and digits and refuses fields that it does not know.
    pub(super) mistral: bool,
    /// Its server switches thinking by `thinking: {type}`.
    pub(super) thinking_switch: bool,
    /// Searches the web when asked by `web_search_options`.
    pub(super) searches: bool,
}

impl Model {
    /// Reads a name: `gpt-5.2`, `openai/o3`, `ft:gpt-4o:…`.
    pub(super) fn of(name: &str) -> Self {
        let own = !name.contains('/');
        let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        let name = name.strip_prefix("ft:").unwrap_or(&name);
        let version = name.strip_prefix("gpt-").map_or((0, 0), version);
        let o_series = name.strip_prefix('o').is_some_and(|rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            digits > 0 && matches!(rest.as_bytes().get(digits), None | Some(b'-'))
        });
        Self {
            openai: o_series || version.0 > 0 || name.starts_with("chatgpt"),
            o_series,
            version,
            chat: name.contains("-chat"),
            codex_max: name.contains("codex-max"),
            mistral: own && name.contains("stral"),
            thinking_switch: ["deepseek", "glm", "kimi"].iter().any(|family| name.starts_with(family)),
            searches: name.contains("search") || name.starts_with("sonar"),
        }
    }

    /// The field for the largest answer.
    pub(super) fn max_tokens_field(self) -> &'static str {
        if self.o_series || self.version.0 >= 5 { "max_completion_tokens" } else { "max_tokens" }
    }

    /// Whether it is one of `OpenAI`'s that reason.
    pub(super) fn reasons(self) -> bool {
        self.o_series || (self.version.0 >= 5 && !self.chat)
    }

    /// Whether it refuses temperature, `top_p`, penalties and log probabilities.
    pub(super) fn fixed_sampling(self) -> bool {
        self.o_series || (self.version == (5, 0) && !self.chat)
    }

    /// Whether it knows tools that take free text, and `verbosity`.
    pub(super) fn is_new(self) -> bool {
        self.version.0 >= 5
    }

    /// Whether it lets several calls be forbidden.
    pub(super) fn parallel_choice(self) -> bool {
        !self.o_series
    }

    /// The nearest effort that it takes; `None` if it takes none at all.
    pub(super) fn effort(self, wanted: Effort) -> Option<Effort> {
        use Effort::{High, Low, Max, Medium, Minimal, None, XHigh};
        let known: &[Effort] = if self.o_series {
            &[Low, Medium, High]
        } else if self.mistral || (self.openai && !self.reasons()) {
            &[]
        } else if self.version == (5, 0) {
            &[Minimal, Low, Medium, High]
        } else if self.version == (5, 1) && !self.codex_max {
            &[None, Low, Medium, High]
        } else if self.openai {
            &[None, Low, Medium, High, XHigh]
        } else if self.thinking_switch {
            &[None, Low, Medium, High, Max]
        } else {
            &[None, Low, Medium, High]
        };
        // Upwards first: `minimal` becomes `low`, not `none`.
        known.iter().find(|effort| **effort >= wanted).or(known.last()).copied()
    }
}

/// The word for an effort.
pub(super) fn effort_word(effort: Effort) -> &'static str {
    match effort {
        Effort::None => "none",
        Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::XHigh => "xhigh",
        Effort::Max => "max",
    }
}

/// The effort that a word means.
pub(super) fn effort_of(word: &str) -> Option<Effort> {
    Some(match word {
        "none" => Effort::None,
        "minimal" => Effort::Minimal,
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" => Effort::XHigh,
        "max" => Effort::Max,
        _ => return None,
    })
}

/// `5.2-codex` is 5 and 2; what is no number is 0.
fn version(text: &str) -> (u32, u32) {
    let number = |text: &str| {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        text.get(..digits).and_then(|digits| digits.parse().ok()).unwrap_or(0)
    };
    let (major, rest) = text.split_once('.').unwrap_or((text, ""));
    // The dot of `gpt-4o-2024.1` would belong to something else.
    let whole = major.bytes().all(|byte| byte.is_ascii_digit());
    (number(major), if whole { number(rest) } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_openais_newer_models_get_the_newer_limit() {
        for (name, newer) in [
            ("o1", true),
            ("o3-mini", true),
            ("openai/o4-mini", true),
            ("gpt-5", true),
            ("gpt-5.2-codex", true),
            ("gpt-6", true),
            ("gpt-5-chat-latest", true),
            ("gpt-4o", false),
            ("gpt-4.1-mini", false),
            ("gpt-oss-120b", false),
            ("olmo-2", false),
            ("o", false),
            ("mistral-large-latest", false),
            ("claude-opus-4-6", false),
        ] {
            assert_eq!(Model::of(name).max_tokens_field() == "max_completion_tokens", newer, "{name}");
        }
    }

    #[test]
    fn an_effort_is_moved_to_the_nearest_that_the_model_takes() {
        for (name, wanted, sent) in [
            ("o3", Effort::None, Some(Effort::Low)),
            ("o3", Effort::Max, Some(Effort::High)),
            ("gpt-5", Effort::XHigh, Some(Effort::High)),
            ("gpt-5", Effort::None, Some(Effort::Minimal)),
            ("gpt-5.1", Effort::Minimal, Some(Effort::Low)),
            ("gpt-5.1-codex-max", Effort::XHigh, Some(Effort::XHigh)),
            ("gpt-5.2", Effort::Max, Some(Effort::XHigh)),
            ("gpt-4o", Effort::High, None),
            ("gpt-5-chat-latest", Effort::High, None),
            ("deepseek-chat", Effort::XHigh, Some(Effort::Max)),
            ("llama-3", Effort::Max, Some(Effort::High)),
        ] {
            assert_eq!(Model::of(name).effort(wanted), sent, "{name} {wanted:?}");
        }
    }
}
