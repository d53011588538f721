//! Envelopes in a request that goes to a vendor of its own dialect.
//!
//! A conversation that was served in translation holds other vendors' proofs in envelopes. Where the next turn goes to
//! a vendor that speaks the caller's dialect, its bytes pass as they came, and that vendor would refuse a proof that it
//! did not make: these parts are taken out, as the vendor's own advice is for proofs of another model.

use serde_json::Value;

use super::text;
use crate::neutral::Sealed;

/// The body without what only envelopes give a meaning; `None` if there is none, which a search in the bytes tells.
pub fn without_envelopes(body: &[u8]) -> Option<Vec<u8>> {
    memchr::memmem::find(body, Sealed::envelope_start().as_bytes())?;
    let mut value = text::parse(body).ok()?;
    strip(&mut value).then(|| text::json(&value))
}

/// Takes envelopes out of everything below; whether there were any.
fn strip(value: &mut Value) -> bool {
    match value {
        Value::Array(list) => {
            let before = list.len();
            list.retain(|item| !is_sealed(item));
            let shorter = list.len() != before;
            list.iter_mut().fold(shorter, |any, item| strip(item) || any)
        }
        Value::Object(map) => {
            let before = map.len();
            // Gemini's, on parts that say something themselves.
            map.retain(|name, value| {
                !(matches!(name.as_str(), "thoughtSignature" | "thought_signature") && is_envelope(value))
            });
            let smaller = map.len() != before;
            map.values_mut().fold(smaller, |any, value| strip(value) || any)
        }
        _ => false,
    }
}

/// Blocks and items that stand for nothing but a proof: Anthropic's thinking, OpenAI's reasoning.
fn is_sealed(item: &Value) -> bool {
    let proof = match item.get("type").and_then(Value::as_str) {
        Some("thinking") => "signature",
        Some("redacted_thinking" | "reasoning.encrypted") => "data",
        Some("reasoning") => "encrypted_content",
        _ => return false,
    };
    item.get(proof).is_some_and(is_envelope)
}

fn is_envelope(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with(Sealed::envelope_start()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Dialect;

    #[test]
    fn envelopes_are_taken_out_and_the_vendors_own_proofs_stay() {
        let seal = |home, abroad| Sealed { dialect: home, data: "x/+=".into() }.write(abroad);
        let (gemini, own) = (seal(Dialect::Gemini, Dialect::Anthropic), "EqQBown");
        let body = json!({"messages": [{"role": "assistant", "content": [
            {"type": "thinking", "thinking": "a", "signature": gemini},
            {"type": "thinking", "thinking": "b", "signature": own},
            {"type": "redacted_thinking", "data": gemini},
            {"type": "text", "text": gemini}]}]});
        let left: Value =
            serde_json::from_slice(&without_envelopes(body.to_string().as_bytes()).unwrap()).unwrap();
        assert_eq!(
            left["messages"][0]["content"],
            json!([{"type": "thinking", "thinking": "b", "signature": own}, {"type": "text", "text": gemini}])
        );
        let items = json!({"input": [
            {"type": "reasoning", "summary": [], "encrypted_content": gemini},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]});
        let left: Value =
            serde_json::from_slice(&without_envelopes(items.to_string().as_bytes()).unwrap()).unwrap();
        assert_eq!(left["input"].as_array().unwrap().len(), 1);
        let parts = json!({"contents": [{"parts": [
            {"functionCall": {"name": "f"}, "thoughtSignature": seal(Dialect::Anthropic, Dialect::Gemini)}]}]});
        let left: Value =
            serde_json::from_slice(&without_envelopes(parts.to_string().as_bytes()).unwrap()).unwrap();
        assert_eq!(left["contents"][0]["parts"][0], json!({"functionCall": {"name": "f"}}));
        assert!(without_envelopes(json!({"signature": own}).to_string().as_bytes()).is_none());
    }
}
