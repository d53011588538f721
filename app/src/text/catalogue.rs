//! Words of the catalogue of models.

super::texts! {
    TITLE: "Models", "模型";
    HEAD: "models can be asked for", "个模型可供请求";
    HEAD_FOUND: "match", "个匹配";
    HEAD_NONE: "No model can be asked for by name", "没有可按名称请求的模型";
    NONE_TEXT: "Models come from providers' lists, their redirects, their own model lists, and aliases.", "模型来自供应商的模型列表、重定向、上游返回的列表以及别名。";
    NONE_TEXT_MEMBER: "None of your keys reaches a model that is listed.", "你的密钥无法访问任何已列出的模型。";
    FILTERED: "No model matches these filters.", "没有符合筛选条件的模型。";
    MISSING: "Lists that did not come, so their models may be missing:", "未能获取以下供应商的列表，其模型可能缺失：";
    FIND: "Find a model", "查找模型";
    DIALECT: "Dialect", "协议";
    NATIVE_ONLY: "without translation", "仅无需转换";
    ABILITY: "Ability", "能力";
    PRICED: "Price", "价格";
    PRICED_KNOWN: "known", "已知";
    PRICED_UNKNOWN: "unknown", "未知";
    NATIVELY: "As it is", "原生协议";
    BY_TRANSLATION: "By translation", "经转换";
    SERVED_BY: "Served by", "提供者";
    SENT_AS: "as", "发送为";
    NOT_READY: "has no usable credential", "没有可用凭证";
    STANDS_FOR: "stands for", "对应";
    ALSO: "also", "别名：";
    LIMITS: "Most tokens of input / output", "输入 / 输出 Token 上限";
    PRICES: "Input / output per million", "每百万 输入 / 输出";
    LIST_PRICE: "List prices in USD, before rates of groups and users", "列表价（美元），未计分组与用户费率";
    FREE: "free", "免费";
    SET_PRICE: "set a price", "设置价格";
    TRY: "Try", "试用";
    OF_KEY: "What this key reaches", "此密钥可用的模型";
    FIRST: "First page", "第一页";
    NEXT: "Next page", "下一页";
    A_PROMPT_CACHE: "prompt cache", "提示缓存";
    A_REASONING: "reasoning", "推理";
    A_AUDIO_INPUT: "audio in", "音频输入";
    A_AUDIO_OUTPUT: "audio out", "音频输出";
    A_IMAGE_INPUT: "images in", "图像输入";
    A_IMAGE_OUTPUT: "images out", "图像输出";
    A_WEB_SEARCH: "web search", "网页搜索";
    A_LONG_CONTEXT: "long context", "长上下文";
    ABILITY_HELP: "As far as the price table tells: each has a price of its own.", "仅依据价格表：各项均单独计价。";
}
