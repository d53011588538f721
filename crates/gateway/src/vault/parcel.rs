//! A sealed file that leaves this installation: opened by whoever knows its passphrase, on any other.
//!
//! The first line says the version and how the key is made; it is authenticated with the content. The rest is base64.
//!
//! ```text
//! tollgate-export v1 argon2id m=65536,t=3,p=1 salt=… nonce=…
//! ```
//!
//! A person chose the passphrase, so unlike the vault's own key this one is stretched (argon2id, RFC 9106's second
//! recommended choice). A file may ask for other costs, but not for more than a server can bear.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use import::HEADER;
use rand::TryRngCore;
use rand::rngs::OsRng;
use types::Secret;
use zeroize::Zeroizing;

/// Characters that a passphrase must have.
pub(crate) const PASSPHRASE_CHARS: usize = 12;

const COST: Cost = Cost { memory_kib: 65_536, passes: 3, lanes: 1 };
const MOST: Cost = Cost { memory_kib: 262_144, passes: 10, lanes: 4 };
const LINE: usize = 76;

/// What making the key costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Why a parcel could not be made or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParcelError {
    /// Not a whole parcel.
    #[error("the export is damaged: a part of it is missing")]
    Malformed,
    /// Made by a later Tollgate.
    #[error("the export was made by a later version; upgrade first")]
    UnknownVersion,
    /// Its header asks for more memory or time than is allowed.
    #[error("the header of the export asks for more than 256 MiB of memory or 10 passes")]
    TooCostly,
    /// The tag does not fit.
    #[error("the passphrase is wrong, or the export was altered")]
    WrongPassphrase,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
}

/// Seals a text. Takes a good part of a second and 64 MiB: run it off the async threads.
pub(crate) fn seal(passphrase: &Secret<String>, text: &Secret<String>) -> Result<String, ParcelError> {
    let (mut salt, mut nonce) = ([0; 16], [0; 12]);
    OsRng.try_fill_bytes(&mut salt).map_err(|_| ParcelError::NoRandomness)?;
    OsRng.try_fill_bytes(&mut nonce).map_err(|_| ParcelError::NoRandomness)?;
    let Cost { memory_kib, passes, lanes } = COST;
    let (salt_text, nonce_text) = (STANDARD.encode(salt), STANDARD.encode(nonce));
    let header =
        format!("{HEADER}1 argon2id m={memory_kib},t={passes},p={lanes} salt={salt_text} nonce={nonce_text}");
    let payload = Payload { msg: text.expose().as_bytes(), aad: header.as_bytes() };
    let body = cipher(passphrase, COST, &salt)?
        .encrypt(Nonce::from_slice(&nonce), payload)
        .map_err(|_| ParcelError::Malformed)?;
    let coded = STANDARD.encode(body);
    let mut parcel = header;
    for (at, c) in coded.chars().enumerate() {
        if at % LINE == 0 {
            parcel.push('\n');
        }
        parcel.push(c);
    }
    parcel.push('\n');
    Ok(parcel)
}

/// Opens what [`seal`] made; as costly as its header says.
pub(crate) fn open(passphrase: &Secret<String>, parcel: &str) -> Result<Secret<String>, ParcelError> {
    let parcel = parcel.trim_start_matches('\u{feff}').trim();
    let (header, body) = parcel.split_once('\n').ok_or(ParcelError::Malformed)?;
    let header = header.trim_end();
    let (cost, salt, nonce) = read_header(header)?;
    let coded: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let body = STANDARD.decode(coded).map_err(|_| ParcelError::Malformed)?;
    let payload = Payload { msg: body.as_slice(), aad: header.as_bytes() };
    let clear = cipher(passphrase, cost, &salt)?
        .decrypt(Nonce::from_slice(&nonce), payload)
        .map_err(|_| ParcelError::WrongPassphrase)?;
    String::from_utf8(clear).map(Secret::new).map_err(|_| ParcelError::Malformed)
}

fn read_header(header: &str) -> Result<(Cost, [u8; 16], [u8; 12]), ParcelError> {
    let rest = header.strip_prefix(HEADER).ok_or(ParcelError::Malformed)?;
    let mut words = rest.split(' ');
    match words.next() {
        Some("1") => {}
        Some(number) if number.parse::<u32>().is_ok() => return Err(ParcelError::UnknownVersion),
        _ => return Err(ParcelError::Malformed),
    }
    let words: Vec<&str> = words.collect();
    let ["argon2id", cost, salt, nonce] = words.as_slice() else { return Err(ParcelError::Malformed) };
    let costs: Vec<u32> = cost
        .split(',')
        .zip(["m=", "t=", "p="])
        .filter_map(|(word, name)| word.strip_prefix(name)?.parse().ok())
        .collect();
    let &[memory_kib, passes, lanes] = costs.as_slice() else { return Err(ParcelError::Malformed) };
    if memory_kib > MOST.memory_kib || passes > MOST.passes || lanes > MOST.lanes {
        return Err(ParcelError::TooCostly);
    }
    let bytes = |word: &str, name: &str| {
        word.strip_prefix(name).and_then(|coded| STANDARD.decode(coded).ok()).ok_or(ParcelError::Malformed)
    };
    let salt = bytes(salt, "salt=")?.try_into().map_err(|_| ParcelError::Malformed)?;
    let nonce = bytes(nonce, "nonce=")?.try_into().map_err(|_| ParcelError::Malformed)?;
    Ok((Cost { memory_kib, passes, lanes }, salt, nonce))
}

fn cipher(passphrase: &Secret<String>, cost: Cost, salt: &[u8]) -> Result<Aes256Gcm, ParcelError> {
    let Cost { memory_kib, passes, lanes } = cost;
    let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| ParcelError::Malformed)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose().as_bytes(), salt, key.as_mut_slice())
        .map_err(|_| ParcelError::Malformed)?;
    Aes256Gcm::new_from_slice(key.as_slice()).map_err(|_| ParcelError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_parcel_opens_with_its_passphrase_and_with_no_other() {
        let text = format!("sk-canary {}", "x".repeat(300));
        let parcel = seal(&secret("correct horse battery"), &secret(&text)).unwrap();
        assert!(parcel.starts_with("tollgate-export v1 argon2id m=65536,t=3,p=1 salt="), "{parcel}");
        assert!(import::is_sealed(&parcel) && !parcel.contains("canary"));
        assert!(parcel.lines().skip(1).all(|line| line.len() <= LINE));
        let again = seal(&secret("correct horse battery"), &secret(&text)).unwrap();
        assert_ne!(parcel, again, "salt and nonce are new each time");
        // As mail programs and forms leave it.
        let mangled = format!("\u{feff}  {}\n\n", parcel.replace('\n', "\r\n"));
        for form in [parcel.clone(), mangled] {
            assert_eq!(*open(&secret("correct horse battery"), &form).unwrap().expose(), text);
        }
        let wrong = open(&secret("correct horse batterz"), &parcel).unwrap_err();
        assert_eq!(wrong, ParcelError::WrongPassphrase);
    }

    #[test]
    fn header_and_body_are_authenticated() {
        let parcel = seal(&secret("correct horse battery"), &secret("text")).unwrap();
        let (header, body) = parcel.split_once('\n').unwrap();
        let mut body = STANDARD.decode(body.trim()).unwrap();
        body[0] ^= 1;
        let altered = format!("{header}\n{}", STANDARD.encode(body));
        let cheaper = parcel.replacen("t=3", "t=2", 1);
        for bad in [altered, cheaper] {
            let error = open(&secret("correct horse battery"), &bad).unwrap_err();
            assert_eq!(error, ParcelError::WrongPassphrase);
        }
    }

    #[test]
    fn a_header_is_refused_before_it_costs_anything() {
        let parcel = seal(&secret("correct horse battery"), &secret("text")).unwrap();
        for (from, to, expected) in [
            ("m=65536", "m=4000000", ParcelError::TooCostly),
            ("t=3", "t=1000", ParcelError::TooCostly),
            ("p=1", "p=64", ParcelError::TooCostly),
            ("v1", "v2", ParcelError::UnknownVersion),
            ("v1", "vx", ParcelError::Malformed),
            ("argon2id", "scrypt", ParcelError::Malformed),
            ("salt=", "salt=!", ParcelError::Malformed),
            ("m=65536,", "", ParcelError::Malformed),
        ] {
            let error = open(&secret("x"), &parcel.replacen(from, to, 1)).unwrap_err();
            assert_eq!(error, expected, "{to}");
        }
        assert_eq!(open(&secret("x"), "tollgate-export v1").unwrap_err(), ParcelError::Malformed);
    }
}
