//! Sentences of the engine with names, numbers and words of others in them: known by the rest of their text.

/// The Chinese of a sentence by a list of both languages, in which `{}` stands for whatever was put there; `None` if the
/// list has no such sentence.
pub(super) fn translated(list: &[(&str, &str)], said: &str) -> Option<String> {
    list.iter().find_map(|(en, zh)| Some(filled(zh, &holes(en, said)?)))
}

/// What stands at each `{}` of a sentence; nothing if it is another sentence.
fn holes<'a>(sentence: &str, said: &'a str) -> Option<Vec<&'a str>> {
    let mut parts = sentence.split("{}");
    let mut rest = said.strip_prefix(parts.next()?)?;
    let mut found = Vec::new();
    let parts: Vec<&str> = parts.collect();
    for (at, part) in parts.iter().enumerate() {
        let hole = if at + 1 == parts.len() { rest.strip_suffix(part)? } else { rest.split_once(part)?.0 };
        rest = rest.get(hole.len() + part.len()..)?;
        found.push(hole);
    }
    rest.is_empty().then_some(found)
}

fn filled(sentence: &str, holes: &[&str]) -> String {
    let mut holes = holes.iter();
    let mut parts = sentence.split("{}");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + holes.next().copied().unwrap_or_default() + part)
}
