//! Words of the overview.

super::texts! {
    ALL_WELL: "All is well", "一切正常";
    ALL_WELL_IDLE: "Ready, and waiting for the first request", "已就绪，等待第一个请求";
    NEEDS_ONE: "One thing needs you", "有 1 项需要处理";
    NEEDS_MANY: "things need you", "项需要处理";
    SPAN: "Span", "时间范围";
    SPAN_24H: "24 hours", "24 小时";
    SPAN_7D: "7 days", "7 天";
    SPAN_30D: "30 days", "30 天";
    IN_FLIGHT: "In flight", "进行中";
    OPEN_STREAMS: "streams", "个流式";
    P50: "p50", "p50";
    P95: "p95", "p95";
    ERROR_SHARE: "Errors", "错误率";
    NEEDS_ATTENTION: "Needs attention", "需要处理";
    TRAFFIC: "Requests", "请求数";
    CHART_ERRORS: "Errors and refusals", "错误与拒绝";
    CHART_TOKENS: "Tokens", "Token";
    CHART_LATENCY: "Time to first byte", "首字节时间";
    NO_TRAFFIC: "No request ended in this span.", "此时间范围内没有已结束的请求。";
    TOP_MODELS: "Top models", "热门模型";
    TOP_KEYS: "Top keys", "热门密钥";
    TOP_PROVIDERS: "Providers", "供应商";
    UNKNOWN: "(none)", "（无）";

    A_NO_PROVIDER: "No provider is set up: nothing can be forwarded", "尚未配置供应商：无法转发任何请求";
    A_NO_KEY: "No key was issued: no program can connect", "尚未签发密钥：没有程序可以接入";
    A_NO_CREDENTIAL: "has no usable credential", "没有可用凭证";
    A_BREAKER_OPEN: "is kept out by a circuit breaker", "被熔断器暂时隔离";
    A_INVALID: "was refused by its upstream", "被上游拒绝";
    A_ACCOUNT_LOST: "is out of use until somebody signs in again", "已停止使用，需要重新登录";
    A_UNREADABLE: "cannot be decrypted with the present encryption secret", "无法用当前加密密钥解密";
    A_POOL_FAULT: "some credentials that it names could not be set up", "其中部分凭证未能载入";
    DO_SEE_POOL: "See the pool", "查看凭证池";
    A_ERROR_RATE: "of the last hour's requests failed", "的请求在最近一小时内失败";
    A_WRITER_LATE: "The books' writer lags behind", "账目写入滞后";
    A_UNPRICED: "Used without a price", "无价格但已使用的模型";
    A_NEAR_LIMIT: "Close to a limit", "接近限额";
    A_AUDIT_FAILED: "The last audit of the books found something", "最近一次账目审计发现问题";
    DO_SET_PRICES: "Set prices", "设置价格";
    DO_SEE_QUOTAS: "See the quotas", "查看配额";
    DO_SEE_BOOKS: "See the books", "查看账目";
    CHART_COST: "Cost", "费用";
    DO_ADD_PROVIDER: "Add a provider", "添加供应商";
    DO_MAKE_KEY: "Make a key", "创建密钥";
    DO_ADD_CREDENTIAL: "Add a credential", "添加凭证";
    DO_CHECK: "Look at it", "查看";
    DO_SIGN_IN_AGAIN: "Sign in again", "重新登录";
    DO_SEE_ERRORS: "See the errors", "查看错误";
    DO_SEE_BREAKERS: "See the breakers", "查看熔断器";
    DO_SEE_SYSTEM: "See the system page", "查看系统页";

    WIZARD_TITLE: "Four steps to the first answer", "四步完成首个请求";
    STEP_PROVIDER: "Add a provider", "添加供应商";
    STEP_PROVIDER_TEXT: "Where requests go: Anthropic, OpenAI, Gemini, Azure, or anything that speaks OpenAI's format, with its API key.", "请求的去处：Anthropic、OpenAI、Gemini、Azure，或任何兼容 OpenAI 格式的服务，并填写其 API 密钥。";
    STEP_TEST: "Test it", "测试供应商";
    STEP_TEST_TEXT: "One real call shows whether address and credential are right.", "发起一次真实调用，验证地址与凭证是否正确。";
    STEP_KEY: "Make a user and a key", "创建用户与密钥";
    STEP_KEY_TEXT: "Programs authenticate with a key of yours (sk-tg-…), never with the provider's.", "程序使用你签发的密钥（sk-tg-…）接入，而不是供应商的密钥。";
    STEP_REQUEST: "Send the first request", "发送第一个请求";
    STEP_REQUEST_TEXT: "The key's page has ready-made settings for Claude Code, Codex, Gemini CLI, the SDKs and curl. The request appears in the log while it runs.", "密钥页面提供 Claude Code、Codex、Gemini CLI、各 SDK 与 curl 的现成配置。请求运行时即可在日志中看到。";
    STEP_DONE: "done", "已完成";
    STEP_NOW: "now", "当前步骤";
    STEP_LATER: "later", "稍后";
    WATCH_LIVE: "Watch requests live", "实时查看请求";
}
