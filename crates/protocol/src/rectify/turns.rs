//! Messages of Anthropic's and OpenAI's chats, and leaving out blocks of them.
//!
//! What is left must still be the conversation that its caller meant: it begins and ends with the same side.

use crate::json::text;

use super::edit::{Edits, Part};

/// A message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn<'a> {
    pub(super) part: Part<'a>,
    pub(super) role: &'a [u8],
    pub(super) content: Option<Part<'a>>,
}

impl<'a> Turn<'a> {
    /// The blocks of its content; none if that is a text.
    pub(super) fn blocks(self) -> Vec<Part<'a>> {
        self.content.map(Part::elements).unwrap_or_default()
    }

    pub(super) fn is_assistant(self) -> bool {
        self.role == b"assistant"
    }
}

/// A body's `messages`.
pub(super) fn of(body: Part<'_>) -> Option<Vec<Turn<'_>>> {
    let list = body.member("messages")?;
    let turns = list.elements().into_iter().map(|part| Turn {
        part,
        role: part.word("role").unwrap_or_default(),
        content: part.member("content"),
    });
    Some(turns.collect())
}

/// Leaves out blocks, the messages that have none left, and those that `silent` names.
pub(super) fn leave_out(
    edits: &mut Edits,
    turns: &[Turn<'_>],
    silent: impl Fn(Turn<'_>) -> bool,
    gone: impl Fn(Turn<'_>, Part<'_>) -> bool,
) -> Option<()> {
    let mut kept = Vec::with_capacity(turns.len());
    for turn in turns {
        let blocks = turn.blocks();
        let gone: Vec<bool> = blocks.iter().map(|block| gone(*turn, *block)).collect();
        let spans: Vec<_> = blocks.iter().map(|block| block.span()).collect();
        edits.keep(&spans, |index| gone.get(index) != Some(&true));
        let left = gone.is_empty() || gone.contains(&false) || carries_more(*turn);
        kept.push(left && !silent(*turn));
    }
    leave_out_turns(edits, turns, &kept)
}

/// Leaves out whole messages.
pub(super) fn leave_out_turns(edits: &mut Edits, turns: &[Turn<'_>], kept: &[bool]) -> Option<()> {
    let stays = |index: usize| kept.get(index) != Some(&false);
    let left: Vec<&Turn<'_>> =
        turns.iter().enumerate().filter(|(index, _)| stays(*index)).map(|(_, turn)| turn).collect();
    let answers = |turn: Option<&Turn<'_>>| turn.is_some_and(|turn| turn.is_assistant());
    let (first, last) = (left.first().copied()?, left.last().copied()?);
    // An answer at the start was asked by nobody; one at the end would be continued.
    if (first.is_assistant() && !answers(turns.first())) || (last.is_assistant() && !answers(turns.last())) {
        return None;
    }
    let spans: Vec<_> = turns.iter().map(|turn| turn.part.span()).collect();
    edits.keep(&spans, stays);
    Some(())
}

/// Some clients send system messages that only carry settings beside an empty content.
fn carries_more(turn: Turn<'_>) -> bool {
    let more = |key: &[u8]| !matches!(key, b"role" | b"content");
    turn.role == b"system" && turn.part.members().iter().any(|member| more(member.key))
}

/// The changes that leave out empty texts.
pub(super) fn without_empty(body: Part<'_>) -> Option<Edits> {
    let mut edits = Edits::default();
    let turns = of(body)?;
    for content in turns.iter().flat_map(|turn| turn.blocks()).filter_map(|block| block.member("content")) {
        drop_empty(&mut edits, content);
    }
    if let Some(system) = body.member("system") {
        drop_empty(&mut edits, system);
    }
    leave_out(&mut edits, &turns, says_nothing, |_, block| is_empty(block))?;
    Some(edits)
}

fn drop_empty(edits: &mut Edits, list: Part<'_>) {
    let blocks = list.elements();
    let spans: Vec<_> = blocks.iter().map(|block| block.span()).collect();
    edits.keep(&spans, |index| !blocks.get(index).is_some_and(|block| is_empty(*block)));
}

fn is_empty(block: Part<'_>) -> bool {
    block.is("text") && block.member("text").is_some_and(is_blank)
}

fn says_nothing(turn: Turn<'_>) -> bool {
    turn.content.is_some_and(|content| content.text == b"[]" || is_blank(content)) && !carries_more(turn)
}

fn is_blank(text: Part<'_>) -> bool {
    text::decode(text.text).is_some_and(|text| text.trim().is_empty())
}
