//! Models at other vendors' platforms (Amazon Bedrock, Google Vertex AI, Azure): addresses, signatures, tokens, frames.

mod azure;
mod bedrock;
mod input;
mod taken_over;
mod tokens;
mod vertex;

use fakeup::Tokens;
use serde_json::Value;

const BILL: Tokens = Tokens {
    input: 1_234,
    output: 567,
    cache_read: 8_910,
    cache_write: 321,
    cache_write_1h: 21,
    reasoning: 111,
};

fn outcomes(row: &Value) -> Vec<&str> {
    row["attempts"].as_array().unwrap().iter().map(|attempt| attempt["outcome"].as_str().unwrap()).collect()
}
