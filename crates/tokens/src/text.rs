//! Adds up texts, as far as there is patience.

use crate::Vocabulary;

/// Bytes of text that are cut; what lies beyond is reckoned from these. Two megabytes are some hundred thousand tokens,
/// more than most models take.
const MOST: usize = 2 << 20;

/// A sum of texts.
#[derive(Debug)]
pub(crate) struct Texts {
    vocabulary: Vocabulary,
    tokens: u64,
    /// Bytes that were cut.
    read: usize,
    /// Bytes that were not.
    beyond: u64,
}

impl Texts {
    pub(crate) fn new(vocabulary: Vocabulary) -> Self {
        Self { vocabulary, tokens: 0, read: 0, beyond: 0 }
    }

    /// Adds a text.
    pub(crate) fn add(&mut self, text: &str) {
        let room = MOST.saturating_sub(self.read);
        let (read, beyond) = text.split_at(text.floor_char_boundary(room.min(text.len())));
        self.read += read.len();
        self.beyond = self.beyond.saturating_add(u64::try_from(beyond.len()).unwrap_or(u64::MAX));
        self.tokens = self.tokens.saturating_add(self.vocabulary.tokens(read));
    }

    /// Adds tokens that are no text.
    pub(crate) fn frame(&mut self, tokens: u64) {
        self.tokens = self.tokens.saturating_add(tokens);
    }

    /// All tokens, and whether every text was read to its end.
    pub(crate) fn sum(&self) -> (u64, bool) {
        let read = u64::try_from(self.read).unwrap_or(u64::MAX).max(1);
        let reckoned = u128::from(self.beyond) * u128::from(self.tokens) / u128::from(read);
        (self.tokens.saturating_add(u64::try_from(reckoned).unwrap_or(u64::MAX)), self.beyond == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_bound_is_reckoned_from_what_is_not() {
        let mut texts = Texts::new(Vocabulary::O200k);
        texts.add("hello world");
        texts.frame(3);
        assert_eq!(texts.sum(), (5, true));
        let words = "hello world ".repeat(MOST / 12 + 1);
        let mut texts = Texts::new(Vocabulary::O200k);
        for _ in 0..3 {
            texts.add(&words);
        }
        let (tokens, whole) = texts.sum();
        let once = Vocabulary::O200k.tokens(&words);
        assert!(!whole && tokens.abs_diff(once * 3) < once / 50, "{tokens} of {}", once * 3);
    }
}
