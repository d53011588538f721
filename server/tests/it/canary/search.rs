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

pub(super) fn leaks(place: &str, content: &[u8], secrets: &[(&str, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, secret) in secrets {
        for form in forms(secret) {
            if let Some(at) = content.windows(form.len()).position(|window| window == form) {
                let around = &content[at.saturating_sub(120)..(at + 60).min(content.len())];
                found.push(format!("{name} in {place}: …{}…", String::from_utf8_lossy(around)));
            }
        }
    }
    found
}

pub(super) fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
