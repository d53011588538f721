//! A strict JSON reader that walks over bytes without building anything.
//!
//! It checks syntax and depth but not UTF-8 (callers check a whole body at once, which is faster), it does
//! not refuse lone surrogate escapes or huge numbers, and it never recurses.

pub(crate) mod text;

/// Deepest nesting that is read, in levels.
pub(crate) const MAX_DEPTH: u32 = 128;

/// Why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Byte offset of the trouble.
    pub(crate) offset: usize,
    /// What is wrong there.
    pub(crate) what: What,
}

/// Kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Not JSON; says what was expected or found.
    Syntax(&'static str),
    /// More than [`MAX_DEPTH`] levels.
    TooDeep,
}

/// A position in JSON text. After an error the position is of no use.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    pos: usize,
    depth: u32,
}

impl<'a> Reader<'a> {
    /// Starts before the first byte.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, pos: 0, depth: 0 }
    }

    /// The next byte that is no white space, left in place.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.pos)?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.pos += 1;
        }
    }

    /// Offset of the next byte to be read.
    pub(crate) fn offset(&mut self) -> usize {
        self.peek();
        self.pos
    }

    /// Everything from the position on, not checked yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.pos..).unwrap_or_default()
    }

    /// Enters an object; false if it is empty (and thus left again).
    pub(crate) fn open_object(&mut self) -> Result<bool, Fault> {
        self.open(b'{', b'}', "expected an object")
    }

    /// Enters an array; false if it is empty (and thus left again).
    pub(crate) fn open_array(&mut self) -> Result<bool, Fault> {
        self.open(b'[', b']', "expected an array")
    }

    /// After a member's value: true if another member follows, false if the object was left.
    pub(crate) fn more_members(&mut self) -> Result<bool, Fault> {
        self.more(b'}', "expected ',' or '}'")
    }

    /// After an element: true if another follows, false if the array was left.
    pub(crate) fn more_elements(&mut self) -> Result<bool, Fault> {
        self.more(b']', "expected ',' or ']'")
    }

    /// A member's name and colon; the name as written, escapes included, without quotes.
    pub(crate) fn key(&mut self) -> Result<&'a [u8], Fault> {
        if self.peek() != Some(b'"') {
            return self.fail("expected a member name in quotes");
        }
        let key = self.string()?;
        if self.peek() != Some(b':') {
            return self.fail("expected ':'");
        }
        self.pos += 1;
        Ok(key)
    }

    /// Steps over one value of any kind and returns its text.
    pub(crate) fn skip(&mut self) -> Result<&'a [u8], Fault> {
        self.skip_visiting(|_, _, _| {})
    }

    /// The same, and shows every member below: levels entered since the value began, name as written, and the rest
    /// of the text from behind the colon, which has not been checked yet.
    pub(crate) fn skip_visiting(
        &mut self,
        mut visit: impl FnMut(u32, &'a [u8], &'a [u8]),
    ) -> Result<&'a [u8], Fault> {
        let start = self.offset();
        // One bit a level, 1 for an object: deep nesting costs neither stack nor allocation.
        let mut kinds: u128 = 0;
        let base = self.depth;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.string()?;
                }
                Some(b'{') => {
                    kinds = kinds << 1 | 1;
                    if self.open_object()? {
                        let key = self.key()?;
                        visit(self.depth - base, key, self.rest());
                        continue;
                    }
                    kinds >>= 1;
                }
                Some(b'[') => {
                    kinds <<= 1;
                    if self.open_array()? {
                        continue;
                    }
                    kinds >>= 1;
                }
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b't') => self.literal(b"true")?,
                Some(b'f') => self.literal(b"false")?,
                Some(b'n') => self.literal(b"null")?,
                Some(_) => return self.fail("expected a value"),
                None => return self.fail("unexpected end"),
            }
            loop {
                if self.depth == base {
                    return Ok(self.bytes.get(start..self.pos).unwrap_or_default());
                }
                if kinds & 1 == 1 {
                    if self.more_members()? {
                        let key = self.key()?;
                        visit(self.depth - base, key, self.rest());
                        break;
                    }
                } else if self.more_elements()? {
                    break;
                }
                kinds >>= 1;
            }
        }
    }

    /// Refuses anything but white space up to the end.
    pub(crate) fn finish(&mut self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.fail("unexpected text after the value"),
        }
    }

    fn open(&mut self, open: u8, close: u8, expected: &'static str) -> Result<bool, Fault> {
        match self.peek() {
            Some(byte) if byte == open => {}
            None => return self.fail("unexpected end"),
            Some(_) => return self.fail(expected),
        }
        if self.depth >= MAX_DEPTH {
            return Err(Fault { offset: self.pos, what: What::TooDeep });
        }
        self.pos += 1;
        if self.peek() == Some(close) {
            self.pos += 1;
            return Ok(false);
        }
        self.depth += 1;
        Ok(true)
    }

    fn more(&mut self, close: u8, expected: &'static str) -> Result<bool, Fault> {
        match self.peek() {
            Some(b',') => {
                self.pos += 1;
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.pos += 1;
                self.depth = self.depth.saturating_sub(1);
                Ok(false)
            }
            None => self.fail("unexpected end"),
            Some(_) => self.fail(expected),
        }
    }

    fn string(&mut self) -> Result<&'a [u8], Fault> {
        self.pos += 1;
        let start = self.pos;
        loop {
            let rest = self.bytes.get(self.pos..).unwrap_or_default();
            let plain = plain_length(rest);
            self.pos += plain;
            match rest.get(plain) {
                Some(b'"') => {
                    let inner = self.bytes.get(start..self.pos).unwrap_or_default();
                    self.pos += 1;
                    return Ok(inner);
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return self.fail("control character in a string"),
                None => return self.fail("unterminated string"),
            }
        }
    }

    #[inline]
    fn escape(&mut self) -> Result<(), Fault> {
        match self.bytes.get(self.pos + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.pos += 2,
            Some(b'u') => {
                let digits = self.bytes.get(self.pos + 2..self.pos + 6);
                if !digits.is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit)) {
                    return self.fail("expected four hexadecimal digits after \\u");
                }
                self.pos += 6;
            }
            _ => return self.fail("unknown escape in a string"),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.bytes.get(self.pos) == Some(&b'-') {
            self.pos += 1;
        }
        if self.bytes.get(self.pos) == Some(&b'0') {
            self.pos += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.pos) == Some(&b'.') {
            self.pos += 1;
            self.digits()?;
        }
        if matches!(self.bytes.get(self.pos), Some(b'e' | b'E')) {
            self.pos += 1;
            if matches!(self.bytes.get(self.pos), Some(b'+' | b'-')) {
                self.pos += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let rest = self.bytes.get(self.pos..).unwrap_or_default();
        let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        self.pos += count;
        if count == 0 { self.fail("expected a digit") } else { Ok(()) }
    }

    fn literal(&mut self, word: &'static [u8]) -> Result<(), Fault> {
        if self.bytes.get(self.pos..).is_some_and(|rest| rest.starts_with(word)) {
            self.pos += word.len();
            return Ok(());
        }
        self.fail("expected true, false or null")
    }

    fn fail<T>(&self, what: &'static str) -> Result<T, Fault> {
        Err(Fault { offset: self.pos, what: What::Syntax(what) })
    }
}

/// How many bytes at the start need no care inside a string: no quote, no backslash, no control character.
#[inline]
fn plain_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    let mut rest = bytes;
    // Word by word first: most names, and most stretches of code between two escapes, are short. The blocks
    // after that become vector code for long texts.
    while let Some((word, tail)) = rest.split_first_chunk::<8>() {
        let hits = special(u64::from_le_bytes(*word));
        if hits != 0 {
            return length + usize::try_from(hits.trailing_zeros() / 8).unwrap_or_default();
        }
        length += 8;
        rest = tail;
        if length < 32 {
            continue;
        }
        while let Some((block, tail)) = rest.split_first_chunk::<32>() {
            let care = |b: &u8| u8::from(*b < 0x20) | u8::from(*b == b'"') | u8::from(*b == b'\\');
            if block.iter().fold(0, |any, b| any | care(b)) != 0 {
                break;
            }
            length += 32;
            rest = tail;
        }
    }
    length + rest.iter().take_while(|b| **b >= 0x20 && **b != b'"' && **b != b'\\').count()
}

/// Sets the high bit of each special byte. Bits above the first hit may be wrong; only the lowest is used.
fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES << 7;
    let zero_in = |x: u64| x.wrapping_sub(ONES) & !x;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (control | zero_in(word ^ (ONES * 0x22)) | zero_in(word ^ (ONES * 0x5C))) & HIGHS
}

/// The value of an object's first member of that name. `None` if there is none, or the text before it is no JSON.
pub(crate) fn field<'a>(object: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut reader = Reader::new(object);
    let mut more = reader.open_object().ok()?;
    while more {
        let found = reader.key().ok()? == name.as_bytes();
        let value = reader.skip().ok()?;
        if found {
            return Some(value);
        }
        more = reader.more_members().ok()?;
    }
    None
}

/// The values of an object's first members of these names, found in one walk as far as it is JSON, and whether it is
/// one whole object with nothing behind it.
pub(crate) fn fields<'a, const N: usize>(
    object: &'a [u8],
    names: [&str; N],
) -> ([Option<&'a [u8]>; N], Result<(), Fault>) {
    let mut found = [None; N];
    let mut walk = || {
        let mut reader = Reader::new(object);
        let mut more = reader.open_object()?;
        while more {
            let key = reader.key()?;
            let value = reader.skip()?;
            let wanted = found.iter_mut().zip(names).find(|(_, name)| key == name.as_bytes());
            if let Some((place @ None, _)) = wanted {
                *place = Some(value);
            }
            more = reader.more_members()?;
        }
        reader.finish()
    };
    let whole = walk();
    (found, whole)
}

/// The first element of an array.
pub(crate) fn first_element(array: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(array);
    if reader.open_array().ok()? { reader.skip().ok() } else { None }
}

/// The elements of an array as far as it is JSON.
pub(crate) fn elements(array: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut reader = Reader::new(array);
    let mut more = reader.open_array().unwrap_or(false);
    std::iter::from_fn(move || {
        if !more {
            return None;
        }
        let element = reader.skip().ok();
        more = element.is_some() && reader.more_elements().unwrap_or(false);
        element
    })
}

/// Whether a text is one JSON value and nothing else.
pub(crate) fn is_whole(text: &[u8]) -> bool {
    walk(text).is_ok()
}

/// Whether a text is JSON as far as it was read, but too deep to read on.
pub(crate) fn is_too_deep(text: &[u8]) -> bool {
    walk(text).is_err_and(|fault| fault.what == What::TooDeep)
}

fn walk(text: &[u8]) -> Result<(), Fault> {
    let mut reader = Reader::new(text);
    reader.skip()?;
    reader.finish()
}

#[cfg(test)]
mod tests;
