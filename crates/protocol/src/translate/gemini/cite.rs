//! What a text refers to.
//!
//! Read: each pair of a passage and a source is one citation, in the shape that the other dialects know:
//! `{"type": "url_citation", "url", "title", "start_index", "end_index", "cited_text"}`, or `file_citation` without an
//! address. The vendor counts bytes of the whole text; here it is characters of the part. What is not known is left
//! out.

use serde_json::{Map, Value, json};

use super::spelling;

/// Most bytes of a text that are kept to tell characters from bytes.
const MAX_KEPT: usize = 1024 * 1024;
/// Most citations of one piece.
const MAX_CITATIONS: usize = 1_000;

/// The text that is cited.
#[derive(Debug, Default)]
pub(super) struct Cited {
    index: Option<u32>,
    text: String,
    whole: bool,
}

impl Cited {
    /// A text begins.
    pub(super) fn begin(&mut self, index: u32) {
        self.index = Some(index);
        self.text.clear();
        self.whole = true;
    }

    /// The text goes on.
    pub(super) fn push(&mut self, more: &str) {
        if self.whole && self.text.len() + more.len() <= MAX_KEPT {
            self.text.push_str(more);
        } else {
            self.whole = false;
        }
    }

    /// Reads `groundingMetadata`.
    pub(super) fn grounding(&mut self, value: Value, mut each: impl FnMut(u32, Value)) {
        let Some(index) = self.index else { return };
        let value = spelling::camel_keys(value);
        let list =
            |name: &str| value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let sources: Vec<Map<String, Value>> =
            list("groundingChunks").iter().map(|chunk| source(chunk).unwrap_or_default()).collect();
        let supports = list("groundingSupports");
        let mut left = MAX_CITATIONS;
        for support in supports {
            let passage = self.passage(support.get("segment"));
            let places = support.get("groundingChunkIndices").and_then(Value::as_array);
            for place in places.into_iter().flatten() {
                let source = place.as_u64().and_then(|n| sources.get(usize::try_from(n).ok()?));
                let Some(source) = source.filter(|source| !source.is_empty() && left > 0) else { continue };
                left -= 1;
                let mut citation = source.clone();
                citation.extend(passage.clone());
                each(index, Value::Object(citation));
            }
        }
        if supports.is_empty() {
            for source in sources.into_iter().filter(|source| !source.is_empty()).take(MAX_CITATIONS) {
                each(index, Value::Object(source));
            }
        }
    }

    /// Reads `citationMetadata`.
    pub(super) fn sources(&mut self, value: Value, mut each: impl FnMut(u32, Value)) {
        let Some(index) = self.index else { return };
        let value = spelling::camel_keys(value);
        let list = value.get("citationSources").or_else(|| value.get("citations")).and_then(Value::as_array);
        for source in list.into_iter().flatten().take(MAX_CITATIONS) {
            let Some(mut citation) = told(source) else { continue };
            citation.extend(self.passage(Some(source)));
            each(index, Value::Object(citation));
        }
    }

    /// The passage of a segment, in characters.
    fn passage(&self, segment: Option<&Value>) -> Map<String, Value> {
        let mut passage = Map::new();
        let Some(segment) = segment else { return passage };
        let number =
            |name: &str| segment.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let said = segment.get("text").and_then(Value::as_str);
        if let Some(said) = said {
            passage.insert("cited_text".into(), said.into());
        }
        if !self.whole {
            return passage;
        }
        let told = number("startIndex").unwrap_or(0)..number("endIndex").unwrap_or(0);
        let fits = |range: &std::ops::Range<usize>| {
            let there = self.text.get(range.clone()).filter(|there| !there.is_empty());
            there.is_some_and(|there| said.is_none_or(|said| said == there))
        };
        // Numbers that do not fit the passage count from elsewhere; the passage itself decides.
        let range = if fits(&told) {
            Some(told)
        } else {
            said.filter(|said| !said.is_empty())
                .and_then(|said| self.text.find(said).map(|start| start..start + said.len()))
        };
        if let Some(range) = range {
            let start = chars(self.text.get(..range.start));
            let end = start + chars(self.text.get(range));
            passage.insert("start_index".into(), start.into());
            passage.insert("end_index".into(), end.into());
        }
        passage
    }
}

fn chars(text: Option<&str>) -> usize {
    text.unwrap_or_default().chars().count()
}

/// Address and title of a source.
fn source(chunk: &Value) -> Option<Map<String, Value>> {
    let inner = ["web", "retrievedContext", "maps"].iter().find_map(|kind| chunk.get(kind))?;
    told(&spelling::camel_keys(inner.clone()))
}

fn told(from: &Value) -> Option<Map<String, Value>> {
    let word = |name: &str| from.get(name).and_then(Value::as_str).filter(|word| !word.is_empty());
    let (uri, title) = (word("uri"), word("title").or_else(|| word("fileSearchStore")));
    if uri.is_none() && title.is_none() {
        return None;
    }
    let mut source = Map::new();
    let kind = if uri.is_some() { "url_citation" } else { "file_citation" };
    source.insert("type".into(), kind.into());
    if let Some(uri) = uri {
        source.insert("url".into(), uri.into());
    }
    if let Some(title) = title {
        source.insert("title".into(), title.into());
    }
    Some(source)
}

/// Collects an answer's citations as `groundingMetadata`.
#[derive(Debug, Default)]
pub(super) struct Grounding {
    chunks: Vec<Value>,
    supports: Vec<Value>,
}

impl Grounding {
    /// Adds a citation of a text. `base` is where the text begins, in bytes of what `segment` counts in; `part` the
    /// number of the part if each part counts by itself.
    pub(super) fn add(&mut self, citation: &Value, text: &str, base: usize, part: Option<usize>) {
        if self.supports.len() >= MAX_CITATIONS {
            return;
        }
        // Chat keeps what it says of a source in an object of its own.
        let said = citation.get("url_citation").unwrap_or(citation);
        let word = |names: &[&str]| names.iter().find_map(|name| said.get(name)?.as_str());
        let uri = word(&["url", "uri", "source"]);
        let title = word(&["title", "document_title", "filename"]);
        if uri.is_none() && title.is_none() {
            return;
        }
        let chunk = match (uri, title) {
            (Some(uri), Some(title)) => json!({"web": {"uri": uri, "title": title}}),
            (Some(uri), None) => json!({"web": {"uri": uri}}),
            (None, title) => json!({"retrievedContext": {"title": title, "text": word(&["cited_text"])}}),
        };
        let place = self.chunks.iter().position(|known| *known == chunk).unwrap_or_else(|| {
            self.chunks.push(chunk);
            self.chunks.len() - 1
        });
        let number = |names: &[&str]| {
            let number = names.iter().find_map(|name| said.get(name)?.as_u64());
            number.and_then(|number| usize::try_from(number).ok())
        };
        let byte = |chars: usize| text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
        let range = match (number(&["startIndex", "start_index"]), number(&["endIndex", "end_index"])) {
            (Some(start), Some(end)) if start < end => byte(start)..byte(end),
            // Others cite a whole text.
            _ => 0..text.len(),
        };
        let mut segment = Map::new();
        if let Some(part) = part.filter(|part| *part > 0) {
            segment.insert("partIndex".into(), part.into());
        }
        if base + range.start > 0 {
            segment.insert("startIndex".into(), (base + range.start).into());
        }
        segment.insert("endIndex".into(), (base + range.end).into());
        segment.insert("text".into(), text.get(range).unwrap_or_default().into());
        self.supports.push(json!({"segment": segment, "groundingChunkIndices": [place]}));
    }

    /// The whole, if there is anything.
    pub(super) fn take(&mut self) -> Option<Value> {
        let Self { chunks, supports } = std::mem::take(self);
        (!chunks.is_empty()).then(|| json!({"groundingChunks": chunks, "groundingSupports": supports}))
    }
}
