//! Chooses among the stored encodings of a file (RFC 9110 §12.5.3).
//!
//! It compresses nothing; that happened when the binary was built.

/// How the bytes are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

/// The best encoding that is stored and accepted; the plain bytes if nothing else fits.
pub(super) fn choose(accepted: &str, brotli: bool, gzip: bool) -> Encoding {
    if brotli && accepts(accepted, "br") {
        Encoding::Brotli
    } else if gzip && accepts(accepted, "gzip") {
        Encoding::Gzip
    } else {
        Encoding::Identity
    }
}

// `*` is not honoured: no browser sends it, and command-line tools that do would save compressed files.
fn accepts(accepted: &str, coding: &str) -> bool {
    accepted.split(',').any(|item| {
        let mut parts = item.split(';');
        let named = parts.next().is_some_and(|name| name.trim().eq_ignore_ascii_case(coding));
        let refused = parts
            .filter_map(|parameter| parameter.trim().strip_prefix("q="))
            .any(|weight| weight.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0));
        named && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_stored_encoding_is_chosen() {
        for (accepted, brotli, gzip, expected) in [
            ("gzip, deflate, br, zstd", true, true, Encoding::Brotli),
            ("gzip, br;q=0", true, true, Encoding::Gzip),
            ("GZIP;q=0.5", true, true, Encoding::Gzip),
            ("br", false, true, Encoding::Identity),
            ("", true, true, Encoding::Identity),
            ("*", true, true, Encoding::Identity),
            ("brotli", true, true, Encoding::Identity),
        ] {
            assert_eq!(choose(accepted, brotli, gzip), expected, "{accepted}");
        }
    }
}
