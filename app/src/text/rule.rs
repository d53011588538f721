//! Words of error rules and of what a failure means.

super::texts! {
    NEW: "New rule", "新建规则";
    TEXT: "Says what an upstream's error means, where the built-in reading is not enough. Your rules come first, by priority; the first that fits wins.", "当内置判断不足时，用规则说明上游错误的含义。自定义规则优先，按优先级匹配，先匹配者生效。";
    HEAD: "rules of your own", "条自定义规则";
    HEAD_NONE: "No rule of your own: the built-in ones hold.", "没有自定义规则，内置规则生效。";
    BUILTIN: "Built in", "内置";
    BUILTIN_HEAD: "Built-in rules", "内置规则";
    BUILTIN_TEXT: "They come after all others and cannot be changed.", "排在最后，不可修改。";
    NAME_HELP: "1 to 80 characters.", "1 到 80 个字符。";
    PRIORITY_HELP: "Lower is looked at first; default 0.", "数值小的先匹配，默认 0。";
    ENABLED_HELP: "Only enabled rules are looked at.", "只匹配已启用的规则。";
    WHEN: "When", "匹配条件";
    WHEN_HELP: "All that is filled in must hold; one of them is needed.", "填写的条件须全部满足，至少填写一项。";
    STATUS: "Status", "状态码";
    STATUS_HELP: "Of the upstream, 100 to 599.", "上游返回的状态码，100 到 599。";
    KIND: "Type or code", "错误类型";
    KIND_HELP: "As parsed from its body, such as rate_limit_error.", "从响应体解析，例如 rate_limit_error。";
    CONTAINS: "Message contains", "消息包含";
    CONTAINS_HELP: "Without regard to case.", "不区分大小写。";
    THEN: "Then", "处理";
    CLASS: "It means", "含义";
    CLASS_HELP: "Decides whether another credential is tried, whether the breaker counts, and whether this one rests.", "决定是否换凭证、是否计入熔断、该凭证是否冷却。";
    COOLDOWN: "Rests for (seconds)", "冷却（秒）";
    COOLDOWN_HELP: "1 to 86,400. Empty: what its meaning says.", "1 到 86,400。留空：按含义决定。";
    ANSWER_STATUS: "Answer with status", "改写状态码";
    ANSWER_STATUS_HELP: "What the caller gets if nobody else can serve; 400 to 599. Empty: unchanged.", "无其他可用凭证时返回给调用方，400 到 599。留空：不改写。";
    ANSWER: "Answer with sentence", "改写消息";
    ANY: "any", "任意";
    GONE: "There is no such rule.", "没有此规则。";
    DELETE_TITLE: "Delete this rule?", "删除此规则？";
    DELETE_TEXT: "Errors that it read are read by the next rule that fits, or by the built-in reading.", "原由它判断的错误将交给下一条匹配的规则或内置判断。";

    TESTER: "Try an error", "测试错误";
    TESTER_TEXT: "Paste an upstream's answer to see which rule holds. Nothing is sent.", "粘贴上游响应，查看命中哪条规则。不会发送任何内容。";
    TESTER_BODY: "Body", "响应体";
    TESTER_GO: "Try", "测试";
    TRIED_RULE: "Rule", "命中规则";
    TRIED_NONE: "none: the built-in reading by type and status", "无：按类型与状态码判断";
    TRIED_KIND: "Type that was read", "解析出的类型";
    TRIED_MESSAGE: "Message that was read", "解析出的消息";
    TRIED_NOTHING: "nothing could be read", "未能解析";
    TRIED_BAD: "A status is a number from 100 to 599.", "状态码应为 100 到 599 的数字。";

    C_PROVIDER: "Upstream failed", "上游故障";
    C_SYSTEM: "Way there failed", "网络故障";
    C_OVERLOAD: "Upstream overloaded", "上游过载";
    C_RATE_LIMIT: "Rate limited", "限流";
    C_AUTH: "Credential refused", "凭证被拒";
    C_QUOTA: "Out of credit", "余额不足";
    C_NOT_FOUND: "Model not there", "模型不存在";
    C_CLIENT: "Request at fault", "请求有误";
    C_CLIENT_GONE: "Caller left", "调用方断开";
    C_UNKNOWN: "Outcome unknown", "结果未知";
    C_LOCAL: "Tollgate itself", "网关自身";
    T_PROVIDER: "another credential is tried, the breaker counts it", "换凭证重试，计入熔断";
    T_SYSTEM: "another is tried; counts for the breaker only if the setting says so", "换凭证重试；仅在设置开启时计入熔断";
    T_OVERLOAD: "another is tried, this one rests shortly", "换凭证重试，此凭证短暂冷却";
    T_RATE_LIMIT: "every other credential is tried, this one rests", "尝试其他所有凭证，此凭证冷却";
    T_AUTH: "every other credential is tried, this one is marked as refused", "尝试其他所有凭证，此凭证标记为被拒绝";
    T_QUOTA: "every other credential is tried, this one is marked as suspended", "尝试其他所有凭证，此凭证标记为已暂停";
    T_NOT_FOUND: "another is tried, this model rests here", "换凭证重试，此处该模型冷却";
    T_CLIENT: "the caller gets the upstream's answer, nothing is tried again", "原样返回上游响应，不再重试";
    T_OTHER: "nothing is tried again", "不再重试";
}
