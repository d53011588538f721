//! Finds secrets in bytes, in the forms in which they travel.

use std::path::Path;

use base64::Engine;

/// A secret as it is, in base64, in an address, in hexadecimal, and its last twenty characters.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let tail: String = secret.chars().skip(secret.chars().count().saturating_sub(20)).collect();
    let url = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
    let b64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(secret);
    vec![
        secret.into(),
        tail.into_bytes(),
        url.into_bytes(),
        b64.into_bytes(),
        hex::encode(secret).into_bytes(),
    ]
}

/// Secrets in all their forms, by the two bytes that they begin with: everything is searched once for all of them.
pub(super) struct Needles {
    forms: Vec<(&'static str, Vec<u8>)>,
    beginning: Vec<Vec<usize>>,
}

impl Needles {
    pub(super) fn new(secrets: &[(&'static str, String)]) -> Self {
        let mut needles = Self { forms: Vec::new(), beginning: vec![Vec::new(); 1 << 16] };
        for (name, secret) in secrets {
            for form in forms(secret) {
                assert!(form.len() > 7, "{name} is too short to be searched for");
                needles.beginning[pair(form[0], form[1])].push(needles.forms.len());
                needles.forms.push((*name, form));
            }
        }
        needles
    }

    /// Each place in there where a secret stands.
    pub(super) fn leaks(&self, place: &str, content: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        let mut before = 0;
        for (end, byte) in content.iter().enumerate() {
            let beginning = &self.beginning[pair(before, *byte)];
            before = *byte;
            if beginning.is_empty() || end == 0 {
                continue;
            }
            let at = end - 1;
            for (name, form) in beginning.iter().map(|form| &self.forms[*form]) {
                if content[at..].starts_with(form) {
                    let around = &content[at.saturating_sub(120)..(at + 60).min(content.len())];
                    found.push(format!("{name} in {place}: …{}…", String::from_utf8_lossy(around)));
                }
            }
        }
        found
    }
}

fn pair(first: u8, second: u8) -> usize {
    (usize::from(first) << 8) | usize::from(second)
}

pub(super) fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
