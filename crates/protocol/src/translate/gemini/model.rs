//! What a model's name says about how it wants to be asked.

/// A line of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Gemini 3 and later: levels of thinking, signed calls, functions beside other tools and forms.
    pub(super) third: bool,
    /// Its thinking cannot be switched off.
    pub(super) pro: bool,
}

impl Line {
    /// Of a model's name. The vendor's names for "the latest" have led to the third line since it came out.
    pub(super) fn of(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or_default();
        let rest = name.strip_prefix("gemini-").unwrap_or_default();
        let number = rest.split(['.', '-']).next().unwrap_or_default();
        let latest = rest.ends_with("-latest") && number.parse::<u32>().is_err();
        let third = latest || number.parse::<u32>().is_ok_and(|number| number >= 3);
        Self { third, pro: rest.split('-').any(|word| word == "pro") }
    }

    /// Least and most tokens of thinking that the second line takes.
    pub(super) fn budgets(self) -> (u64, u64) {
        if self.pro { (128, 32_768) } else { (512, 24_576) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_line() {
        for (name, third, pro) in [
            ("gemini-2.5-flash", false, false),
            ("models/gemini-2.5-pro", false, true),
            ("gemini-3-pro-preview", true, true),
            ("google/gemini-3.6-flash", true, false),
            ("gemini-flash-latest", true, false),
            ("gemini-2.5-flash-latest", false, false),
            ("gemma-3-27b-it", false, false),
            ("some-model", false, false),
        ] {
            assert_eq!(Line::of(name), Line { third, pro }, "{name}");
        }
    }
}
