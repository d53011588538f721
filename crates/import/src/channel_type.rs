//! What the numbers of channel types mean. one-api and new-api share the first 25 and differ from there on.

use crate::plan::Format;

/// What a channel of that type is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A kind of provider and its usual address, empty if each channel names its own.
    Kind(&'static str, &'static str),
    /// AWS keys.
    Bedrock,
    /// A Google service account.
    Vertex,
    /// A `ChatGPT` account.
    Codex,
    /// It speaks something that no kind of provider here does.
    Foreign,
    /// No such type.
    Unknown,
}

use Meaning::{Bedrock, Codex, Foreign, Kind, Unknown, Vertex};

const COMPATIBLE: &str = "openai-compatible";

/// What a number means in exports of that format.
pub(crate) fn meaning(format: Format, number: i64) -> Meaning {
    match number {
        1 => Kind("openai", "https://api.openai.com"),
        3 => Kind("azure-openai", ""),
        14 => Kind("anthropic", "https://api.anthropic.com"),
        20 => Kind(COMPATIBLE, "https://openrouter.ai/api"),
        24 => Kind("gemini", "https://generativelanguage.googleapis.com"),
        25 => Kind(COMPATIBLE, "https://api.moonshot.cn"),
        31 => Kind(COMPATIBLE, "https://api.lingyiwanwu.com"),
        33 => Bedrock,
        // Whatever the operator named, and resellers of the early days: each channel has its address.
        6 | 7 | 8 | 9 | 10 | 12 | 13 => Kind(COMPATIBLE, ""),
        // Baidu, Zhipu, Ali, Xunfei, 360, AIProxy's library, FastGPT, Tencent, PaLM: own protocols or own paths.
        11 | 15..=19 | 21..=23 => Foreign,
        _ if format == Format::NewApi => new_api(number),
        _ => one_api(number),
    }
}

fn one_api(number: i64) -> Meaning {
    match number {
        2 | 4 | 5 | 50 => Kind(COMPATIBLE, ""),
        26 => Kind(COMPATIBLE, "https://api.baichuan-ai.com"),
        27 => Kind(COMPATIBLE, "https://api.minimax.chat"),
        28 => Kind(COMPATIBLE, "https://api.mistral.ai"),
        29 => Kind(COMPATIBLE, "https://api.groq.com/openai"),
        30 => Kind(COMPATIBLE, "http://localhost:11434"),
        32 => Kind(COMPATIBLE, "https://api.stepfun.com"),
        36 => Kind(COMPATIBLE, "https://api.deepseek.com"),
        39 => Kind(COMPATIBLE, "https://api.together.xyz"),
        44 => Kind(COMPATIBLE, "https://api.siliconflow.cn"),
        45 => Kind(COMPATIBLE, "https://api.x.ai"),
        42 => Vertex,
        34 | 35 | 37 | 38 | 40 | 41 | 43 | 46..=49 | 51 => Foreign,
        _ => Unknown,
    }
}

fn new_api(number: i64) -> Meaning {
    match number {
        4 => Kind(COMPATIBLE, "http://localhost:11434"),
        35 => Kind(COMPATIBLE, "https://api.minimax.chat"),
        40 => Kind(COMPATIBLE, "https://api.siliconflow.cn"),
        42 => Kind(COMPATIBLE, "https://api.mistral.ai"),
        43 => Kind(COMPATIBLE, "https://api.deepseek.com"),
        47 => Kind(COMPATIBLE, ""),
        48 => Kind(COMPATIBLE, "https://api.x.ai"),
        53 => Kind(COMPATIBLE, "https://llm.submodel.ai"),
        41 => Vertex,
        57 => Codex,
        2 | 5 | 26 | 27 | 34 | 36..=39 | 44..=46 | 49..=52 | 54..=56 | 58 => Foreign,
        _ => Unknown,
    }
}
