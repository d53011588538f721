//! Forms turned into the inputs of `types`.
//!
//! The meaning of a value is checked by `types`; only what is no number or no time at all is refused here.

mod alias;
mod error_rule;
mod group;
mod invoice;
mod key;
mod limits;
mod package;
mod price;
mod provider;
mod transfer;
mod user;

pub(crate) use price::read_price;

use std::collections::BTreeMap;
use std::str::FromStr;

use types::books::ReconcileFilter;
use types::problem::FieldErrors;
use types::{Problem, Secret, Timestamp};

use crate::form::SecretText;

impl SecretText {
    /// The secret, or `None` if the field was left empty. Blanks around it are paste accidents.
    pub(crate) fn take(&self) -> Option<Secret<String>> {
        let text = self.0.trim();
        (!text.is_empty()).then(|| Secret::new(text.to_owned()))
    }

    /// A password: kept as typed, since blanks may belong to it.
    pub(crate) fn take_verbatim(&self) -> Option<Secret<String>> {
        (!self.0.is_empty()).then(|| Secret::new(self.0.clone()))
    }
}

/// Items of a text area or a comma-separated field.
fn list(text: &str) -> Vec<String> {
    text.split(['\n', '\r', ',']).map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// A whole number, or `None` if left empty.
fn number<T: FromStr>(text: &str, field: &str, errors: &mut FieldErrors) -> Option<T> {
    let text = text.trim().replace([',', '_', ' '], "");
    if text.is_empty() {
        return None;
    }
    let parsed = text.parse().ok();
    if parsed.is_none() {
        errors.add(field, "expected a whole number");
    }
    parsed
}

/// Anything with a text form (an amount, a multiplier, a name), or `None` if left empty.
fn parsed<T: FromStr>(text: &str, field: &str, errors: &mut FieldErrors) -> Option<T>
where
    T::Err: std::fmt::Display,
{
    if text.trim().is_empty() {
        return None;
    }
    text.trim().parse().map_err(|error: T::Err| errors.add(field, error.to_string())).ok()
}

/// An instant in UTC, or `None` if left empty.
fn instant(text: &str, field: &str, errors: &mut FieldErrors) -> Option<Timestamp> {
    if text.trim().is_empty() {
        return None;
    }
    text.parse().map_err(|error: types::time::BadTime| errors.add(field, error.to_string())).ok()
}

/// Lines of the form `requested = sent upstream`.
fn pairs(text: &str, field: &str, errors: &mut FieldErrors) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let pair = line.split_once("->").or_else(|| line.split_once('='));
        if let Some((from, to)) = pair {
            map.insert(from.trim().to_owned(), to.trim().to_owned());
        } else {
            errors.add(field, "expected lines of the form requested = sent upstream");
        }
    }
    map
}

/// Which part of the books to reconcile.
pub(crate) fn read_reconcile(user_id: &str, since: &str, until: &str) -> Result<ReconcileFilter, Problem> {
    let mut errors = FieldErrors::default();
    let filter = ReconcileFilter {
        user_id: number(user_id, "user_id", &mut errors),
        since: instant(since, "since", &mut errors),
        until: instant(until, "until", &mut errors),
    };
    errors.finish(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_take_lines_and_commas() {
        assert_eq!(list("a, b\r\n\n c "), ["a", "b", "c"]);
    }

    #[test]
    fn a_redirect_needs_two_sides() {
        let mut errors = FieldErrors::default();
        let map = pairs("a = b\nc -> d\n", "model_redirects", &mut errors);
        assert_eq!(map.get("c").map(String::as_str), Some("d"));
        assert!(errors.is_empty());
        pairs("nonsense", "model_redirects", &mut errors);
        assert!(!errors.is_empty());
    }

    #[test]
    fn a_typed_word_is_no_number() {
        let mut errors = FieldErrors::default();
        assert_eq!(number::<u32>(" 10,000 ", "n", &mut errors), Some(10_000));
        assert_eq!(number::<u32>("", "n", &mut errors), None);
        assert!(errors.is_empty());
        assert_eq!(number::<u32>("many", "n", &mut errors), None);
        assert!(!errors.is_empty());
    }
}
