//! Opaque proofs of vendors, wrapped so that another dialect can carry them there and back.
//!
//! A signature of Anthropic's, Gemini's `thoughtSignature` and OpenAI's `encrypted_content` mean something to
//! their maker only. In another dialect they travel as an *envelope*: standard base64 (Gemini's clients decode
//! it) of a mark, the dialect and the data, and come back as what they were.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Dialect;

/// Begins every envelope, before base64. Its length is a multiple of three, so that it always encodes alike.
const MARK: &str = "tollgate:1:\n";

/// [`MARK`] in base64.
const ENVELOPE_START: &str = "dG9sbGdhdGU6MToK";

/// A vendor's proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The dialect whose vendor made it.
    pub dialect: Dialect,
    /// As the vendor wrote it.
    pub data: String,
}

impl Sealed {
    /// Reads what stands in a proof's place in `dialect`: an envelope, or the vendor's own.
    pub fn read(dialect: Dialect, text: &str) -> Self {
        Self::unwrap_envelope(text).unwrap_or_else(|| Self { dialect, data: text.to_owned() })
    }

    /// What to write in a proof's place in `dialect`: as it is at home, else the envelope.
    pub fn write(&self, dialect: Dialect) -> String {
        if self.dialect == dialect {
            return self.data.clone();
        }
        STANDARD.encode(format!("{MARK}{}:{}", self.dialect, self.data))
    }

    /// The data, if its maker speaks `dialect`; another vendor would refuse it.
    pub fn for_vendor(&self, dialect: Dialect) -> Option<&str> {
        (self.dialect == dialect && !self.data.is_empty()).then_some(self.data.as_str())
    }

    /// Stands where a dialect asks for a proof and the vendor gave none: nobody takes it for one, and a vendor of the
    /// caller's dialect never sees it.
    pub(crate) fn none(vendor: Dialect) -> Self {
        Self { dialect: vendor, data: String::new() }
    }

    /// How every envelope begins.
    pub(crate) fn envelope_start() -> &'static str {
        ENVELOPE_START
    }

    fn unwrap_envelope(text: &str) -> Option<Self> {
        // Cheap test first: proofs can be tens of kilobytes long.
        if !text.starts_with(ENVELOPE_START) {
            return None;
        }
        let plain = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
        let (dialect, data) = plain.strip_prefix(MARK)?.split_once(':')?;
        Some(Self { dialect: dialect.parse().ok()?, data: data.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_survives_the_way_through_every_other_dialect() {
        for &home in Dialect::ALL {
            let proof = Sealed { dialect: home, data: "EqQB:+/==\u{e9}".into() };
            for &abroad in Dialect::ALL {
                let written = proof.write(abroad);
                assert_eq!(Sealed::read(abroad, &written), proof, "{home} in {abroad}");
                assert_eq!(written == proof.data, home == abroad);
            }
        }
    }

    #[test]
    fn every_envelope_begins_alike() {
        assert_eq!(STANDARD.encode(MARK), ENVELOPE_START);
    }

    #[test]
    fn a_vendors_own_proof_is_left_alone() {
        let own = Sealed::read(Dialect::Gemini, "CiQBjz1rX0==");
        assert_eq!((own.dialect, own.write(Dialect::Gemini).as_str()), (Dialect::Gemini, "CiQBjz1rX0=="));
        assert_eq!(own.for_vendor(Dialect::Anthropic), None);
    }
}
