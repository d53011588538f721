//! Words of the page that says how much survives translation.

super::texts! {
    TITLE: "Conformance", "转换一致性";
    HEAD: "How much of real exchanges arrives in another dialect", "真实交互经协议转换后的保留程度";
    HEAD_TEXT: "Recorded exchanges with vendors are translated and read back by readings that share no code with the translation; every field that differs is a miss. Streams are fed byte by byte, in pieces and whole. Measured for this version.", "将录制的供应商交互进行转换，再由不共享任何转换代码的读取器读回；每个不一致的字段计为一次失误。流按逐字节、分段与整体三种方式输入。结果对应当前版本。";
    FLOOR: "No pair may fall below 99 % (answers) or 98 % (requests); continuous integration holds it. What a dialect cannot say counts as right only where the losses name it.", "任何一对的答复不得低于 99 %，请求不得低于 98 %，由持续集成保证。目标协议无法表达的内容，仅当在损失列表中列出时才计为正确。";
    RECORDED: "Recorded exchanges", "录制的交互";
    ANSWERS: "Answers", "答复";
    REQUESTS: "Requests", "请求";
    FIELDS: "Fields of requests", "请求字段";
    DIALECT: "dialect", "协议";
    N_ANSWERS: "answers", "答复数";
    N_STREAMS: "streams", "流数";
    N_REQUESTS: "requests", "请求数";
    PAIR: "caller → vendor", "调用方 → 供应商";
    ALL: "all", "总计";
    TEXT: "text", "文本";
    THINKING: "thinking", "思考";
    TOOL_NAMES: "tool names", "工具名称";
    TOOL_ARGUMENTS: "tool arguments", "工具参数";
    TOOL_IDS: "tool ids", "工具标识";
    STOP: "stop", "结束原因";
    INPUT: "input tokens", "输入 Token";
    CACHED: "cached tokens", "缓存 Token";
    OUTPUT: "output tokens", "输出 Token";
    ORDER: "order and end", "顺序与结尾";
    ACCEPTED: "accepted", "被接受";
    SYSTEM: "system", "系统提示";
    TURNS: "turns", "轮次";
    MEDIA: "media", "媒体";
    TOOLS: "tools", "工具";
    SCHEMAS: "tool schemas", "工具模式";
    CALLS: "tool calls", "工具调用";
    RESULTS: "tool results", "工具结果";
    CHOICE: "tool choice", "工具选择";
    LIMIT: "token limit", "Token 上限";
    SAMPLING: "sampling", "采样";
    STOP_TEXTS: "stop texts", "停止文本";
    FORMAT: "answer format", "输出格式";
    OWN: "vendor's own", "供应商专有";
    CARRIED: "carried over", "已保留";
    NAMED: "named as lost", "已列为损失";
    NEITHER: "neither", "均非";
}
