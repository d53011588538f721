//! Tells open browsers to load the page again, for `cargo xtask dev`.
//!
//! The server's half is Leptos' own: with `LEPTOS_WATCH` set, pages of a debug build open a WebSocket to port 3001
//! and wait for a word. This is the other end of it, as much of RFC 6455 as that takes and no more.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The port that Leptos' script knocks at.
const PORT: u16 = 3001;

/// All browsers that listen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browsers {
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Browsers {
    /// Listens for browsers, if the port is free; otherwise nobody will ever be told.
    pub(crate) fn listen() -> Self {
        let browsers = Self::default();
        match TcpListener::bind(("127.0.0.1", PORT)) {
            Ok(listener) => {
                let known = browsers.clone();
                std::thread::spawn(move || {
                    for browser in listener.incoming().flatten() {
                        if let Some(browser) = welcome(browser) {
                            known.open.lock().unwrap_or_else(PoisonError::into_inner).push(browser);
                        }
                    }
                });
            }
            Err(error) => println!("(browsers will not reload by themselves: port {PORT}: {error})"),
        }
        browsers
    }

    /// Has every page loaded again. Who does not answer is forgotten: the page comes back by itself.
    pub(crate) fn reload(&self) {
        let message = br#"{"all":"again"}"#;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for mut browser in open.drain(..) {
            let length = u8::try_from(message.len()).unwrap_or(0);
            // A whole text frame, unmasked, as servers send them.
            let _gone = browser.write_all(&[&[0x81, length], message.as_slice()].concat());
        }
    }
}

/// Answers the handshake; none if it was not one.
fn welcome(mut browser: TcpStream) -> Option<TcpStream> {
    browser.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    let mut head = [0; 4096];
    let length = browser.read(&mut head).ok()?;
    let head = String::from_utf8_lossy(head.get(..length)?).into_owned();
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim().to_owned())
    })?;
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: {}\r\n\r\n",
        accept_for(&key)
    );
    browser.write_all(answer.as_bytes()).ok()?;
    Some(browser)
}

/// The answer to a key (RFC 6455, section 4.2.2). SHA-1 guards nothing here; the protocol asks for it.
fn accept_for(key: &str) -> String {
    base64(&sha1(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes()))
}

/// FIPS 180-4, section 6.1.
#[expect(clippy::many_single_char_names, reason = "the names of the standard")]
fn sha1(message: &[u8]) -> Vec<u8> {
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((u64::try_from(message.len()).unwrap_or(0) * 8).to_be_bytes());
    let mut hash = [0x6745_2301_u32, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0];
    for block in padded.chunks_exact(64) {
        let mut words: Vec<u32> = block
            .chunks_exact(4)
            .map(|four| four.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)))
            .collect();
        while words.len() < 80 {
            let back = |steps: usize| words.iter().rev().nth(steps - 1).copied().unwrap_or(0);
            let next = back(3) ^ back(8) ^ back(14) ^ back(16);
            words.push(next.rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = hash;
        for (round, word) in words.into_iter().enumerate() {
            let (f, k) = match round {
                0..20 => ((b & c) | (!b & d), 0x5A82_7999),
                20..40 => (b ^ c ^ d, 0x6ED9_EBA1),
                40..60 => ((b & c) | (b & d) | (c & d), 0x8F1B_BCDC),
                _ => (b ^ c ^ d, 0xCA62_C1D6),
            };
            let next = a.rotate_left(5).wrapping_add(f).wrapping_add(e).wrapping_add(k).wrapping_add(word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (sum, part) in hash.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(part);
        }
    }
    hash.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn base64(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits =
            (0..3).fold(0_usize, |bits, at| bits << 8 | usize::from(three.get(at).copied().unwrap_or(0)));
        for place in 0..4 {
            let letter = alphabet.get(bits >> (18 - 6 * place) & 63).copied().unwrap_or(b'=');
            text.push(if place > three.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handshake_is_the_one_that_the_rfc_shows() {
        assert_eq!(accept_for("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_listening_browser_is_told_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut browser = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        browser
            .write_all(b"GET /live_reload HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            .unwrap();
        let browsers = Browsers::default();
        let known = welcome(listener.accept().unwrap().0).unwrap();
        browsers.open.lock().unwrap().push(known);
        browsers.reload();
        let mut heard = Vec::new();
        browser.read_to_end(&mut heard).unwrap();
        assert!(heard.ends_with(b"\x81\x0f{\"all\":\"again\"}"), "{}", String::from_utf8_lossy(&heard));
        assert!(browsers.open.lock().unwrap().is_empty());
    }
}
