//! What a Claude model takes, told by its name.
//!
//! Newer ones refuse what older ones need (thinking budgets, sampling), so a request must be written for its
//! model. Names that are not Claude's (other vendors behind the same API) get what every server understands.

/// A model as far as requests differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model {
    /// Major and minor version; `None` if the name does not say.
    version: Option<(u32, u32)>,
    family: Family,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Opus,
    /// Fable and Mythos: they always think.
    Mythos,
    OtherClaude,
    Foreign,
}

impl Model {
    /// Reads a name: `claude-opus-4-6`, `claude-3-7-sonnet-20250219`, `us.anthropic.claude-haiku-4-5-20251001-v1:0`.
    pub(super) fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let Some((_, rest)) = name.split_once("claude") else {
            return Self { version: None, family: Family::Foreign };
        };
        let mut words = rest.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        // Versions have one or two digits; longer numbers are dates.
        let small = |word: &str| word.parse::<u32>().ok().filter(|_| word.len() <= 2);
        let version =
            words.by_ref().find_map(small).map(|major| (major, words.next().and_then(small).unwrap_or(0)));
        let family = if rest.contains("opus") {
            Family::Opus
        } else if rest.contains("fable") || rest.contains("mythos") {
            Family::Mythos
        } else {
            Family::OtherClaude
        };
        Self { version, family }
    }

    fn since(self, major: u32, minor: u32) -> bool {
        match self.version {
            Some(version) => version >= (major, minor),
            // A Claude without a version is an alias of a new one.
            None => self.family != Family::Foreign,
        }
    }

    /// `thinking: {type: adaptive}`; `None` if it cannot be told.
    pub(super) fn adaptive(self) -> Option<bool> {
        (self.family != Family::Foreign).then(|| self.since(4, 6))
    }

    /// Thinking cannot be switched off.
    pub(super) fn always_thinks(self) -> bool {
        self.family == Family::Mythos
    }

    /// `temperature`, `top_p` and `top_k`.
    pub(super) fn samples(self) -> bool {
        self.family == Family::Foreign || !self.since(4, 7)
    }

    /// `temperature` and `top_p` in the same request.
    pub(super) fn samples_both(self) -> bool {
        self.family == Family::Foreign || !self.since(4, 1)
    }

    /// `system` messages among the others.
    pub(super) fn system_anywhere(self) -> bool {
        self.family != Family::Foreign && self.since(4, 8)
    }

    /// A last turn of the model's own is gone on with.
    pub(super) fn goes_on(self) -> bool {
        self.family == Family::Foreign || !self.since(4, 6)
    }

    /// Calls can be demanded by `any` and `tool`.
    pub(super) fn can_be_forced(self) -> bool {
        !(self.family == Family::Mythos && self.since(5, 1))
    }

    /// Calls can be demanded while it thinks.
    pub(super) fn can_be_forced_thinking(self) -> bool {
        self.family == Family::Foreign || self.since(4, 8)
    }

    /// `output_config.format` and strict tools.
    pub(super) fn structured(self) -> bool {
        self.family == Family::Foreign
            || self.since(4, 5)
            || (self.family == Family::Opus && self.since(4, 1))
    }

    /// `output_config.effort`.
    pub(super) fn effort(self) -> bool {
        self.family == Family::Foreign
            || self.since(4, 6)
            || (self.family == Family::Opus && self.since(4, 5))
    }

    /// Effort `xhigh`.
    pub(super) fn effort_xhigh(self) -> bool {
        self.family == Family::Foreign || self.since(4, 7)
    }

    /// Effort `max`.
    pub(super) fn effort_max(self) -> bool {
        self.family == Family::Foreign || self.since(4, 6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_every_spelling() {
        for (name, version) in [
            ("claude-opus-4-6", Some((4, 6))),
            ("claude-sonnet-4-5-20250929", Some((4, 5))),
            ("claude-sonnet-4-20250514", Some((4, 0))),
            ("claude-3-7-sonnet-20250219", Some((3, 7))),
            ("us.anthropic.claude-haiku-4-5-20251001-v1:0", Some((4, 5))),
            ("claude-opus-5", Some((5, 0))),
            ("claude-haiku-5-5", Some((5, 5))),
            ("anthropic/claude-opus-4.8", Some((4, 8))),
            ("claude-opus-4-1@20250805", Some((4, 1))),
            ("claude-mythos-preview", None),
            ("deepseek-chat", None),
        ] {
            assert_eq!(Model::of(name).version, version, "{name}");
        }
    }

    #[test]
    fn each_model_gets_what_it_takes() {
        let old = Model::of("claude-sonnet-4-5");
        assert_eq!(
            (old.adaptive(), old.samples(), old.effort(), old.structured()),
            (Some(false), true, false, true)
        );
        let new = Model::of("claude-opus-5-5");
        assert_eq!(
            (new.adaptive(), new.samples(), new.effort(), new.system_anywhere()),
            (Some(true), false, true, true)
        );
        assert!(!Model::of("claude-opus-4-7").system_anywhere());
        assert!(
            Model::of("claude-fable-5").can_be_forced() && !Model::of("claude-fable-5-1").can_be_forced()
        );
        let foreign = Model::of("deepseek-chat");
        assert_eq!((foreign.adaptive(), foreign.samples(), foreign.system_anywhere()), (None, true, false));
    }
}
