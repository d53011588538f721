//! Which vocabulary a model reads with, and counting with it.

use tiktoken_rs::{CoreBPE, cl100k_base_singleton, o200k_base_singleton};

/// A published vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vocabulary {
    /// GPT-4o and whatever came after it; what is taken for models that nobody knows, too.
    O200k,
    /// GPT-4 and GPT-3.5.
    Cl100k,
}

/// Beginnings of models' names with the older vocabulary, unless a newer one's name begins so too.
const OLDER: [&str; 4] = ["gpt-4", "gpt-3.5", "gpt-35", "text-embedding"];
/// Beginnings of models' names with the newer one.
const NEWER: [&str; 11] =
    ["gpt-4o", "chatgpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "gpt-6", "gpt-oss", "o1", "o3", "o4", "codex"];
/// Longest piece that is cut at once, in bytes. The cutter's patience with blanks is limited, and so is ours.
const PIECE: usize = 16 * 1024;

impl Vocabulary {
    /// Of a model, and whether it is known to be its own.
    pub fn of(model: &str) -> (Self, bool) {
        let name = model.rsplit('/').next().unwrap_or(model);
        let name = name.strip_prefix("openai.").unwrap_or(name);
        let name = name.strip_prefix("ft:").unwrap_or(name).to_ascii_lowercase();
        if NEWER.iter().any(|newer| name.starts_with(newer)) {
            (Self::O200k, true)
        } else if OLDER.iter().any(|older| name.starts_with(older)) {
            (Self::Cl100k, true)
        } else {
            (Self::O200k, false)
        }
    }

    /// Its published name.
    pub fn name(self) -> &'static str {
        match self {
            Self::O200k => "o200k_base",
            Self::Cl100k => "cl100k_base",
        }
    }

    fn cutter(self) -> &'static CoreBPE {
        match self {
            Self::O200k => o200k_base_singleton(),
            Self::Cl100k => cl100k_base_singleton(),
        }
    }

    /// The tokens of a text. Marks such as `<|endoftext|>` are text.
    pub fn tokens(self, text: &str) -> u64 {
        let cutter = self.cutter();
        let mut tokens = 0_u64;
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(cut(rest));
            tokens += u64::try_from(cutter.encode_ordinary(piece).len()).unwrap_or_default();
            rest = behind;
        }
        tokens
    }
}

/// Where to cut a text that is too long: before a blank behind a word, where no token ends up in two pieces.
fn cut(text: &str) -> usize {
    if text.len() <= PIECE {
        return text.len();
    }
    let most = text.floor_char_boundary(PIECE);
    let bytes = text.as_bytes();
    let before_blank = |at: &usize| {
        bytes.get(*at) == Some(&b' ') && bytes.get(at - 1).is_some_and(u8::is_ascii_alphanumeric)
    };
    (most / 2..most).rev().find(before_blank).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_have_the_vocabulary_that_was_published_for_them() {
        use Vocabulary::{Cl100k, O200k};
        for (model, wanted) in [
            ("gpt-4o-mini", (O200k, true)),
            ("gpt-4.1-nano-2025-04-14", (O200k, true)),
            ("openai/gpt-5.6", (O200k, true)),
            ("openai.gpt-5.6-luna", (O200k, true)),
            ("ft:gpt-4o:acme", (O200k, true)),
            ("o3-mini", (O200k, true)),
            ("gpt-oss-120b", (O200k, true)),
            ("gpt-4-turbo", (Cl100k, true)),
            ("gpt-35-turbo", (Cl100k, true)),
            ("mistral-large", (O200k, false)),
            ("", (O200k, false)),
        ] {
            assert_eq!(Vocabulary::of(model), wanted, "{model}");
        }
    }

    #[test]
    fn texts_have_the_tokens_that_the_vendors_own_counter_finds() {
        // From the vendor's published examples.
        for (text, older, newer) in [
            ("", 0, 0),
            ("hello world", 2, 2),
            ("antidisestablishmentarianism", 6, 6),
            ("2 + 2 = 4", 7, 7),
            ("お誕生日おめでとう", 9, 8),
        ] {
            assert_eq!(Vocabulary::Cl100k.tokens(text), older, "{text}");
            assert_eq!(Vocabulary::O200k.tokens(text), newer, "{text}");
        }
        // A mark of the vendor's own in a text is no mark.
        assert!(Vocabulary::O200k.tokens("<|endoftext|>") > 3);
    }

    #[test]
    fn long_texts_are_cut_where_it_changes_nothing_and_odd_ones_end_too() {
        let words = "All is well with the quick brown fox. ".repeat(2_000);
        let whole = Vocabulary::O200k.cutter().encode_ordinary(&words).len();
        assert_eq!(Vocabulary::O200k.tokens(&words), u64::try_from(whole).unwrap());
        for odd in [" ", "a", "\n ", "é", "\u{a0}", "'s", "漢", "\t\t\u{2028}", "A1!"] {
            let text = odd.repeat(1 << 15);
            let tokens = Vocabulary::O200k.tokens(&text);
            assert!(tokens > 0 && tokens <= u64::try_from(text.len()).unwrap(), "{odd:?}: {tokens}");
        }
    }
}
