//! Words of the playground.

super::texts! {
    TITLE: "Playground", "试验场";
    HEAD: "One prompt, one or two models, side by side", "同一提示，一个或两个模型并排对照";
    TEXT: "It is a real request: with a real key, counted, limited and booked like any other.", "这是真实请求：使用真实密钥，与其他请求一样计量、限额并入账。";
    KEY: "Key", "密钥";
    KEY_HELP: "A key of this gateway (sk-tg-…). It stays in this page's memory, goes out with the request, and is never stored or logged.", "本网关的密钥（sk-tg-…）。仅保留在此页面的内存中，随请求发出，绝不保存或写入日志。";
    KEY_AGAIN: "Paste it again for the next request.", "下次请求请重新粘贴。";
    DIALECT: "Dialect", "协议";
    DIALECT_HELP: "What this page speaks. A model that speaks another is reached by translation.", "此页面使用的协议；若模型使用其他协议则经转换访问。";
    MODEL_A: "Model", "模型";
    MODEL_B: "Second model", "第二个模型";
    CATALOGUE: "All models", "全部模型";
    MAX_TOKENS: "Longest answer (tokens)", "最大输出 Token";
    SYSTEM: "System", "系统提示";
    PROMPT: "Prompt", "提示";
    TOOL: "Offer a tool (get_weather)", "提供一个工具（get_weather）";
    THINKING: "Ask for thinking", "请求思考过程";
    SEND: "Send", "发送";
    STOP: "Stop", "停止";
    WAITING: "Waiting for the first byte…", "等待首字节…";
    RECEIVING: "Receiving…", "接收中…";
    STOPPED: "Stopped here.", "已停止。";
    UNREACHABLE: "The connection broke off.", "连接中断。";
    THINKING_OF: "Thinking", "思考";
    TOOLS_OF: "Tool calls", "工具调用";
    STOP_REASON: "Ended with", "结束原因";
    USED: "Tokens in / out", "输入 / 输出 Token";
    TO_FIRST: "Time to first byte", "首字节时间";
    UPSTREAM: "Model spoken to in", "上游协议";
    SAME_DIALECT: "the same dialect", "相同协议";
    DROPPED: "Could not be carried over", "无法转换的字段";
    COST: "Cost", "费用";
    BOOKING: "being booked…", "入账中…";
    NOT_YOURS: "booked on a key of somebody else", "记在他人的密钥上";
    ITS_REQUEST: "The whole request", "查看该请求";
    GONE: "These answers are shown once and are gone.", "这些回答仅显示一次，已不存在。";
}
