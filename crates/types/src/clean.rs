//! Texts of inputs, brought into their stored form: trimmed, bounded, without doubles. Faults are noted by field.

use crate::pattern::is_model_text;
use crate::problem::FieldErrors;

/// Parses a named value or notes what was expected.
pub(crate) fn parse_or_note<T: std::str::FromStr>(
    text: &str,
    field: &str,
    errors: &mut FieldErrors,
) -> Option<T>
where
    T::Err: std::fmt::Display,
{
    text.trim().parse().map_err(|e: T::Err| errors.add(field, e.to_string())).ok()
}

/// A display name: trimmed, 1 to 80 characters, no control characters.
pub(crate) fn clean_name(text: &str, field: &str, errors: &mut FieldErrors) -> String {
    let name = text.trim();
    if name.is_empty() {
        errors.add(field, "must not be empty");
    } else if name.chars().count() > 80 {
        errors.add(field, "at most 80 characters");
    } else if name.contains(char::is_control) {
        errors.add(field, "must not hold control characters");
    }
    name.to_owned()
}

/// Tags: trimmed, sorted, without doubles; each 1 to 40 characters without spaces or commas.
pub(crate) fn clean_tags(tags: &[String], field: &str, errors: &mut FieldErrors) -> Vec<String> {
    let mut clean: Vec<String> =
        tags.iter().map(|tag| tag.trim().to_owned()).filter(|t| !t.is_empty()).collect();
    clean.sort();
    clean.dedup();
    if clean.len() > 50 {
        errors.add(field, "at most 50");
    }
    if let Some(bad) = clean.iter().find(|tag| {
        tag.chars().count() > 40 || tag.contains(|c: char| c.is_control() || c.is_whitespace() || c == ',')
    }) {
        errors.add(field, format!("'{bad}' is too long or holds a blank or comma"));
    }
    clean
}

/// Model patterns: trimmed, without doubles, order kept; each 1 to 200 characters.
pub(crate) fn clean_patterns(patterns: &[String], field: &str, errors: &mut FieldErrors) -> Vec<String> {
    let mut clean: Vec<String> = Vec::new();
    for pattern in patterns.iter().map(|p| p.trim()).filter(|p| !p.is_empty()) {
        if !is_model_text(pattern) {
            errors.add(field, format!("'{pattern}' is no model name or pattern"));
        } else if !clean.iter().any(|known| known == pattern) {
            clean.push(pattern.to_owned());
        }
    }
    if clean.len() > 500 {
        errors.add(field, "at most 500");
    }
    clean
}
