//! What a person pastes after a sign-in: the whole address, its query, its fragment, or `code#state` (OA-03).

use types::Secret;
use url::form_urlencoded;

/// What came back from a vendor.
#[derive(Clone, Debug, Default)]
pub struct Returned {
    /// The code to exchange.
    pub code: Option<Secret<String>>,
    /// The state of the sign-in.
    pub state: Option<Secret<String>>,
    /// The vendor's error in place of a code.
    pub error: Option<String>,
    /// The same in a sentence.
    pub error_description: Option<String>,
}

/// Why a pasted text is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPaste {
    /// Nothing, or far too much.
    #[error("paste the whole address that the browser ended at, or the code that the vendor shows")]
    Empty,
    /// The address of the vendor's page, from before the sign-in.
    #[error("this is the address from before the sign-in; paste the one that the browser ended at")]
    NotReturned,
    /// A code without its state.
    #[error("the state is missing: paste everything that the vendor shows, also what follows the #")]
    NoState,
    /// A state without a code.
    #[error("this holds no code; paste the whole address that the browser ended at")]
    NoCode,
}

/// Longest text that is looked at.
const LONGEST: usize = 16_384;

/// Reads a pasted text.
pub fn parse_pasted(text: &Secret<String>) -> Result<Returned, BadPaste> {
    let text = text.expose().trim().trim_matches(['"', '\'', '<', '>', '`']);
    if text.is_empty() || text.len() > LONGEST {
        return Err(BadPaste::Empty);
    }
    let returned = read(text)?;
    if returned.error.is_some() {
        return Ok(returned);
    }
    match (&returned.code, &returned.state) {
        (Some(_), Some(_)) => Ok(returned),
        (Some(_), None) => Err(BadPaste::NoState),
        (None, _) => Err(BadPaste::NoCode),
    }
}

fn read(text: &str) -> Result<Returned, BadPaste> {
    if text.starts_with("http://") || text.starts_with("https://") {
        let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (_, query) = address.split_once('?').unwrap_or((address, ""));
        let returned = parse_query(query);
        if returned.code.is_some() || returned.error.is_some() {
            return Ok(returned);
        }
        let from_fragment = parse_query(fragment);
        if from_fragment.code.is_some() || from_fragment.error.is_some() {
            return Ok(from_fragment);
        }
        let before = query
            .split('&')
            .any(|pair| pair.starts_with("client_id=") || pair.starts_with("code_challenge="));
        return if before { Err(BadPaste::NotReturned) } else { Ok(returned) };
    }
    let inner = text.trim_start_matches(['?', '#', '&']);
    if inner.split('&').any(|pair| ["code=", "state=", "error="].iter().any(|name| pair.starts_with(name))) {
        return Ok(parse_query(inner));
    }
    let (code, state) = inner.split_once('#').unwrap_or((inner, ""));
    let some = |text: &str| (!text.trim().is_empty()).then(|| Secret::new(text.trim().to_owned()));
    Ok(Returned { code: some(code), state: some(state), ..Returned::default() })
}

/// Reads the query (or fragment) of a redirect.
pub fn parse_query(query: &str) -> Returned {
    let mut returned = Returned::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if value.is_empty() {
            continue;
        }
        match name.as_ref() {
            // The first of each: a second one would be somebody's attempt to slip one in.
            "code" if returned.code.is_none() => {
                // Some vendors put both into one.
                let (code, state) = match value.split_once('#') {
                    Some((code, state)) => (code.to_owned(), Some(state.to_owned())),
                    None => (value.into_owned(), None),
                };
                returned.code = Some(Secret::new(code));
                if let Some(state) = state.filter(|_| returned.state.is_none()) {
                    returned.state = Some(Secret::new(state));
                }
            }
            "state" if returned.state.is_none() => returned.state = Some(Secret::new(value.into_owned())),
            "error" if returned.error.is_none() => returned.error = Some(value.into_owned()),
            "error_description" if returned.error_description.is_none() => {
                returned.error_description = Some(value.into_owned());
            }
            _ => {}
        }
    }
    returned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pasted(text: &str) -> Result<Returned, BadPaste> {
        parse_pasted(&Secret::new(text.to_owned()))
    }

    fn both(text: &str) -> (String, String) {
        let returned = pasted(text).unwrap();
        (returned.code.unwrap().expose().clone(), returned.state.unwrap().expose().clone())
    }

    #[test]
    fn oa_03_all_forms_of_a_pasted_answer_are_read() {
        let expected = ("c-1".to_owned(), "s-1".to_owned());
        for text in [
            "http://localhost:54545/callback?code=c-1&state=s-1",
            "https://gate.example/auth/enrol/callback?scope=a%20b&state=s-1&code=c-1#",
            "https://vendor.example/done#code=c-1&state=s-1",
            "?code=c-1&state=s-1",
            "code=c-1&state=s-1",
            "#state=s-1&code=c-1",
            "c-1#s-1",
            "  \"c-1#s-1\"\n",
            "https://vendor.example/code?code=c-1%23s-1",
        ] {
            assert_eq!(both(text), expected, "{text}");
        }
        assert_eq!(both("code=4%2F0Ab_c%3D&state=s"), ("4/0Ab_c=".to_owned(), "s".to_owned()));
    }

    #[test]
    fn oa_03_each_mistake_is_named() {
        for (text, expected) in [
            ("", BadPaste::Empty),
            ("   ", BadPaste::Empty),
            ("c-1", BadPaste::NoState),
            ("https://gate.example/callback?code=c-1", BadPaste::NoState),
            ("https://gate.example/callback?state=s-1", BadPaste::NoCode),
            ("https://gate.example/callback", BadPaste::NoCode),
            ("https://vendor.example/authorize?client_id=x&state=s&code_challenge=y", BadPaste::NotReturned),
        ] {
            assert_eq!(pasted(text).unwrap_err(), expected, "{text}");
        }
        assert_eq!(pasted(&"x".repeat(20_000)).unwrap_err(), BadPaste::Empty);
    }

    #[test]
    fn oa_04_a_vendors_error_is_an_answer_too() {
        let returned = pasted(
            "http://localhost:1455/auth/callback?error=access_denied&error_description=No+way&state=s",
        );
        let returned = returned.unwrap();
        assert_eq!(returned.error.as_deref(), Some("access_denied"));
        assert_eq!(returned.error_description.as_deref(), Some("No way"));
    }

    #[test]
    fn of_repeated_parameters_the_first_counts() {
        assert_eq!(both("code=c-1&code=c-2&state=s-1&state=s-2"), ("c-1".to_owned(), "s-1".to_owned()));
    }
}
