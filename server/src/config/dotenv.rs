//! Reads `.env`: `NAME=value`, `export NAME=value`, quotes, comments. It expands no variables, because a
//! secret with a `$` in it would then silently change.

use super::problem::ConfigProblem;
use super::source::{Assignment, File};

/// Every assignment with its line; what cannot be read is noted.
pub(super) fn parse(file: &File, problems: &mut Vec<ConfigProblem>) -> Vec<Assignment> {
    let mut found: Vec<Assignment> = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let number = index + 1;
        let mut note = |key: &str, message: &str| {
            problems.push(ConfigProblem {
                key: key.to_owned(),
                place: format!("{}:{number}", file.name),
                message: message.to_owned(),
            });
        };
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else {
            note("", "expected NAME=value");
            continue;
        };
        let name = name.trim();
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            note("", "expected NAME=value with a name of letters, digits and '_'");
            continue;
        }
        if found.iter().any(|before| before.name == name) {
            note(name, "given twice");
            continue;
        }
        match unquote(value.trim()) {
            Some(text) => found.push(Assignment { name: name.to_owned(), text, line: number }),
            None => note(name, "the closing quote is missing"),
        }
    }
    found
}

fn unquote(value: &str) -> Option<String> {
    if let Some(rest) = value.strip_prefix('\'') {
        return rest.split_once('\'').map(|(text, _)| text.to_owned());
    }
    let Some(rest) = value.strip_prefix('"') else {
        let end = value.find(" #").or_else(|| value.find("\t#")).unwrap_or(value.len());
        return value.get(..end).map(|text| text.trim().to_owned());
    };
    let mut text = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => match chars.next()? {
                'n' => text.push('\n'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<(String, String)>, Vec<String>) {
        let file = File { name: ".env".into(), text: text.into() };
        let mut problems = Vec::new();
        let found = parse(&file, &mut problems).into_iter().map(|a| (a.name, a.text)).collect();
        (found, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_usual_form_is_read() {
        let (found, problems) = read(
            "# first\n\nA=1\nexport B = two words # not this\nC='as # is'\nD=\"q\\\"x\" # c\nE=a#b\nF=\n",
        );
        let expected =
            [("A", "1"), ("B", "two words"), ("C", "as # is"), ("D", "q\"x"), ("E", "a#b"), ("F", "")];
        assert_eq!(found, expected.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec());
        assert!(problems.is_empty());
    }

    #[test]
    fn broken_lines_are_named_by_number() {
        let (_, problems) = read("A=1\nnonsense\nA=2\nB=\"open\n=x\n");
        assert_eq!(
            problems,
            [
                "(.env:2): expected NAME=value",
                "A (.env:3): given twice",
                "B (.env:4): the closing quote is missing",
                "(.env:5): expected NAME=value with a name of letters, digits and '_'",
            ]
        );
    }
}
