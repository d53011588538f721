//! What stands before the slash in LiteLLM's model names, and what it means here.

/// A kind of provider with its usual address and the variable that LiteLLM takes a missing key from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vendor {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    /// Empty if each deployment names its own.
    pub(crate) base_url: &'static str,
    pub(crate) variable: &'static str,
}

const fn vendor(
    name: &'static str,
    kind: &'static str,
    base_url: &'static str,
    variable: &'static str,
) -> Vendor {
    Vendor { name, kind, base_url, variable }
}

const COMPATIBLE: &str = "openai-compatible";

/// Only those whose paths begin with `/v1` under the address, or that have a kind of their own.
const VENDORS: &[Vendor] = &[
    vendor("openai", "openai", "https://api.openai.com", "OPENAI_API_KEY"),
    vendor("text-completion-openai", "openai", "https://api.openai.com", "OPENAI_API_KEY"),
    vendor("anthropic", "anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY"),
    vendor("gemini", "gemini", "https://generativelanguage.googleapis.com", "GEMINI_API_KEY"),
    vendor("azure", "azure-openai", "", "AZURE_API_KEY"),
    vendor("azure_ai", COMPATIBLE, "", "AZURE_AI_API_KEY"),
    vendor("openrouter", COMPATIBLE, "https://openrouter.ai/api", "OPENROUTER_API_KEY"),
    vendor("groq", COMPATIBLE, "https://api.groq.com/openai", "GROQ_API_KEY"),
    vendor("mistral", COMPATIBLE, "https://api.mistral.ai", "MISTRAL_API_KEY"),
    vendor("deepseek", COMPATIBLE, "https://api.deepseek.com", "DEEPSEEK_API_KEY"),
    vendor("xai", COMPATIBLE, "https://api.x.ai", "XAI_API_KEY"),
    vendor("together_ai", COMPATIBLE, "https://api.together.xyz", "TOGETHERAI_API_KEY"),
    vendor("fireworks_ai", COMPATIBLE, "https://api.fireworks.ai/inference", "FIREWORKS_AI_API_KEY"),
    vendor("cerebras", COMPATIBLE, "https://api.cerebras.ai", "CEREBRAS_API_KEY"),
    vendor("nvidia_nim", COMPATIBLE, "https://integrate.api.nvidia.com", "NVIDIA_NIM_API_KEY"),
    vendor("moonshot", COMPATIBLE, "https://api.moonshot.ai", "MOONSHOT_API_KEY"),
    vendor("ollama", COMPATIBLE, "http://localhost:11434", ""),
    vendor("ollama_chat", COMPATIBLE, "http://localhost:11434", ""),
    vendor("lm_studio", COMPATIBLE, "", ""),
    vendor("hosted_vllm", COMPATIBLE, "", ""),
    vendor("openai_like", COMPATIBLE, "", ""),
    vendor("custom_openai", COMPATIBLE, "", ""),
    vendor("litellm_proxy", COMPATIBLE, "", ""),
    vendor("llamafile", COMPATIBLE, "", ""),
    vendor("xinference", COMPATIBLE, "", ""),
    vendor("bedrock", "bedrock", "", ""),
    vendor("vertex_ai", "vertex", "", ""),
    vendor("vertex_ai_beta", "vertex", "", ""),
];

/// The vendor of that name.
pub(crate) fn by_name(name: &str) -> Option<Vendor> {
    VENDORS.iter().find(|vendor| vendor.name == name).copied()
}

/// The vendor of a model that names none, as LiteLLM guesses it.
pub(crate) fn by_model(model: &str) -> Option<Vendor> {
    let openai = ["gpt-", "o1", "o3", "o4", "chatgpt-", "text-embedding-"];
    if model.starts_with("claude") {
        by_name("anthropic")
    } else if openai.iter().any(|start| model.starts_with(start)) {
        by_name("openai")
    } else if model.starts_with("gemini") {
        by_name("vertex_ai")
    } else {
        None
    }
}
