//! What a translation could not carry over: lossless or loud.

/// Most losses that are kept of one request; the rest is counted.
const MAX_KEPT: usize = 64;

/// How much a loss matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Cannot change what the model answers: caching hints, labels, storage wishes.
    Hint,
    /// May change the answer or hide part of it. Strict callers are refused.
    Meaning,
}

/// One thing that the target dialect cannot say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Path of the field in the caller's spelling: `messages[2].content[0].citations`.
    pub field: String,
    /// What became of it, as half a sentence: "is not known to this dialect", "was cut to 1".
    pub what: &'static str,
    /// How much it matters.
    pub weight: Weight,
}

/// The losses of one translation, bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    kept: Vec<Loss>,
    more: u64,
}

impl Losses {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes something that may change the answer.
    pub fn meaning(&mut self, field: impl Into<String>, what: &'static str) {
        self.note(field.into(), what, Weight::Meaning);
    }

    /// Notes something that cannot change the answer.
    pub fn hint(&mut self, field: impl Into<String>, what: &'static str) {
        self.note(field.into(), what, Weight::Hint);
    }

    /// Notes a loss of a given weight.
    pub fn note(&mut self, field: String, what: &'static str, weight: Weight) {
        if self.kept.iter().any(|loss| loss.field == field && loss.what == what) {
            return;
        }
        if self.kept.len() < MAX_KEPT {
            self.kept.push(Loss { field, what, weight });
            return;
        }
        self.more = self.more.saturating_add(1);
        // A loss that matters is worth more than a hint: strict callers look for it.
        if weight == Weight::Meaning
            && let Some(hint) = self.kept.iter_mut().find(|loss| loss.weight == Weight::Hint)
        {
            *hint = Loss { field, what, weight };
        }
    }

    /// Those that are kept, at most 64.
    pub fn kept(&self) -> &[Loss] {
        &self.kept
    }

    /// How many more there were.
    pub fn more(&self) -> u64 {
        self.more
    }

    /// Whether nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The first loss that may change the answer.
    pub fn first_meaning(&self) -> Option<&Loss> {
        self.kept.iter().find(|loss| loss.weight == Weight::Meaning)
    }

    /// Adds those of another step.
    pub fn extend(&mut self, other: &Self) {
        for loss in &other.kept {
            self.note(loss.field.clone(), loss.what, loss.weight);
        }
        self.more = self.more.saturating_add(other.more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_bounded_and_keep_what_matters() {
        let mut losses = Losses::new();
        for n in 0..100 {
            losses.hint(format!("f{n}"), "is a hint");
        }
        losses.meaning("tools[0]", "is not known");
        assert_eq!(losses.kept().len(), MAX_KEPT);
        assert_eq!(losses.more(), 37);
        assert_eq!(losses.first_meaning().map(|l| l.field.as_str()), Some("tools[0]"));
    }

    #[test]
    fn the_same_loss_is_noted_once() {
        let mut losses = Losses::new();
        losses.hint("store", "is not known");
        losses.hint("store", "is not known");
        assert_eq!((losses.kept().len(), losses.more()), (1, 0));
    }
}
