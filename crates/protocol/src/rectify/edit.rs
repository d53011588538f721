//! Parts of a JSON text by their place, and cutting some of them out.
//!
//! It knows objects and arrays, not what they mean.

use std::ops::Range;

use crate::json::text::inner;
use crate::json::{self, Reader};

/// A value and where it stands in the body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) at: usize,
    pub(super) text: &'a [u8],
}

/// A member of an object.
#[derive(Debug)]
pub(super) struct Member<'a> {
    /// Name, colon and value.
    pub(super) span: Range<usize>,
    /// The name as written.
    pub(super) key: &'a [u8],
    pub(super) value: Part<'a>,
}

impl<'a> Part<'a> {
    /// A whole body; `None` if it is no JSON object.
    pub(super) fn whole(body: &'a [u8]) -> Option<Self> {
        let from = body.trim_ascii_start();
        let text = from.trim_ascii_end();
        (text.first() == Some(&b'{') && json::is_whole(text))
            .then_some(Self { at: body.len() - from.len(), text })
    }

    pub(super) fn span(self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    /// The members of an object; none of anything else.
    pub(super) fn members(self) -> Vec<Member<'a>> {
        let mut found = Vec::new();
        let mut reader = Reader::new(self.text);
        let mut more = reader.open_object().unwrap_or(false);
        while more {
            let start = self.at + reader.offset();
            let Ok(key) = reader.key() else { break };
            let at = self.at + reader.offset();
            let Ok(text) = reader.skip() else { break };
            found.push(Member { span: start..at + text.len(), key, value: Part { at, text } });
            more = reader.more_members().unwrap_or(false);
        }
        found
    }

    /// The elements of an array; none of anything else.
    pub(super) fn elements(self) -> Vec<Self> {
        let mut found = Vec::new();
        let mut reader = Reader::new(self.text);
        let mut more = reader.open_array().unwrap_or(false);
        while more {
            let at = self.at + reader.offset();
            let Ok(text) = reader.skip() else { break };
            found.push(Self { at, text });
            more = reader.more_elements().unwrap_or(false);
        }
        found
    }

    /// An object's member of that name, the last one if there are several, as most readers have it.
    pub(super) fn member(self, name: &str) -> Option<Self> {
        self.members().into_iter().rfind(|member| member.key == name.as_bytes()).map(|member| member.value)
    }

    /// A member that is a string, without its quotes.
    pub(super) fn word(self, name: &str) -> Option<&'a [u8]> {
        inner(self.member(name)?.text)
    }

    /// Whether an object's `type` is that.
    pub(super) fn is(self, kind: &str) -> bool {
        self.word("type") == Some(kind.as_bytes())
    }
}

/// Changes to a body, in any order. What lies within a larger cut need not be known.
#[derive(Debug, Default)]
pub(super) struct Edits {
    changes: Vec<(Range<usize>, String)>,
}

impl Edits {
    /// Leaves out those members or elements of one container that are not kept, and the commas that go with them.
    /// `spans` are all of the container's, in order.
    pub(super) fn keep(&mut self, spans: &[Range<usize>], kept: impl Fn(usize) -> bool) {
        let mut before: Option<&Range<usize>> = None;
        let mut any_kept = false;
        for (index, span) in spans.iter().enumerate() {
            if kept(index) {
                any_kept = true;
            } else {
                // After something that stays: from its end on. Before: up to the next one.
                let next = spans.get(index + 1).map_or(span.end, |next| next.start);
                let cut = match before {
                    Some(before) if any_kept => before.end..span.end,
                    _ => span.start..next,
                };
                self.changes.push((cut, String::new()));
            }
            before = Some(span);
        }
    }

    pub(super) fn replace(&mut self, span: Range<usize>, text: String) {
        self.changes.push((span, text));
    }

    /// The changed body; `None` if there was nothing to change.
    pub(super) fn apply(mut self, body: &[u8]) -> Option<Vec<u8>> {
        if self.changes.is_empty() {
            return None;
        }
        self.changes.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
        let mut out = Vec::with_capacity(body.len());
        let mut at = 0;
        for (span, text) in &self.changes {
            if span.start < at {
                continue;
            }
            out.extend_from_slice(body.get(at..span.start)?);
            out.extend_from_slice(text.as_bytes());
            at = span.end;
        }
        out.extend_from_slice(body.get(at..)?);
        Some(out)
    }
}
