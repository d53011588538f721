//! Conversations that a Responses caller continues by an answer's id, for upstreams that keep nothing.
//!
//! Only answers that were translated are kept, and those of a WebSocket that nobody else may store: where an upstream
//! speaks Responses itself, its own store answers.
//! In memory, for an hour and up to a size; a restart forgets it, and the caller sends the whole input again, as
//! the vendor's own error asks it to.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use serde_json::Value;
use types::UserId;

/// How long an answer can be continued after it was last.
const KEPT: Duration = Duration::from_hours(1);
/// Bytes of all conversations together, about.
const MOST: u64 = 64 * 1024 * 1024;
/// A longer conversation is not kept.
const LONGEST: usize = 8 * 1024 * 1024;

/// What a conversation has said so far, as input of a next request, and its size.
type Kept = (Arc<Vec<Value>>, u32);

/// Answers that can be continued, by user and id: nobody can continue another's.
#[derive(Debug)]
pub(crate) struct Continuations(Cache<(UserId, String), Kept>);

impl Default for Continuations {
    fn default() -> Self {
        let weigh = |_: &(UserId, String), kept: &Kept| kept.1;
        Self(Cache::builder().max_capacity(MOST).weigher(weigh).time_to_idle(KEPT).build())
    }
}

impl Continuations {
    /// What led to an answer and the answer itself; `None` if it is not known (any more).
    pub(crate) fn of(&self, user: UserId, id: &str) -> Option<Arc<Vec<Value>>> {
        self.0.get(&(user, id.to_owned())).map(|(items, _)| items)
    }

    /// Keeps an answer: the body of its request and the response object that the caller got.
    pub(crate) fn keep(&self, user: UserId, request: &[u8], response: &Value) {
        if let Some(id) = response.get("id").and_then(Value::as_str) {
            self.keep_as(user, id.to_owned(), request, response);
        }
    }

    /// Keeps an answer under another name than its id.
    pub(crate) fn keep_as(&self, user: UserId, name: String, request: &[u8], response: &Value) {
        // An answer is about as long as what is kept of it; the request is known exactly.
        let size = request.len().saturating_mul(2);
        if size > LONGEST {
            return;
        }
        let items = protocol::translate::items_of(request, response);
        let size = u32::try_from(size.saturating_add(4_096)).unwrap_or(u32::MAX);
        self.0.insert((user, name), (Arc::new(items), size));
    }

    /// Forgets an answer.
    pub(crate) fn forget(&self, user: UserId, name: String) {
        self.0.invalidate(&(user, name));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_continued_by_its_own_user_only() {
        let kept = Continuations::default();
        let answer = json!({"id": "resp_1", "output": [
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi."}]}]});
        kept.keep(UserId(1), br#"{"input":"Say hello."}"#, &answer);
        let items = kept.of(UserId(1), "resp_1").unwrap();
        let text = serde_json::to_string(&*items).unwrap();
        assert!(items.len() == 2 && text.contains("Say hello.") && text.contains("Hi."), "{text}");
        assert!(kept.of(UserId(2), "resp_1").is_none());
        assert!(kept.of(UserId(1), "resp_2").is_none());
    }

    #[test]
    fn the_store_has_an_end_and_takes_nothing_that_is_longer_than_a_conversation() {
        let kept = Continuations::default();
        let answer = |n: u32| json!({"id": format!("resp_{n}"), "output": []});
        let request = |bytes: usize| format!("{{\"input\":\"{}\"}}", "x".repeat(bytes));
        kept.keep(UserId(1), request(LONGEST / 2).as_bytes(), &answer(0));
        assert!(kept.of(UserId(1), "resp_0").is_none());
        let long = request(3 << 20);
        for n in 1..40 {
            kept.keep(UserId(1), long.as_bytes(), &answer(n));
        }
        kept.0.run_pending_tasks();
        assert!((MOST / 2..=MOST).contains(&kept.0.weighted_size()), "{} bytes", kept.0.weighted_size());
        let known = (1..40).filter(|n| kept.of(UserId(1), &format!("resp_{n}")).is_some()).count();
        assert!((1..20).contains(&known), "{known}");
    }
}
