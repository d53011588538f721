//! Words of the settings of routing, stickiness and mending.

super::texts! {
    STRATEGY: "Strategy among equals", "同级策略";
    STRATEGY_HELP: "Who is first among candidates of the same tier and priority. Groups may have their own.", "同层级、同优先级候选之间谁排第一；分组可以单独设置。";
    N_DEADLINE: "All attempts together (ms)", "所有尝试的总时限（毫秒）";
    H_DEADLINE: "Up to the first byte. After that no other attempt begins.", "截至首字节。超过后不再开始新的尝试。";
    N_GATE: "Hold back the beginning of a stream (ms)", "流式开头暂存（毫秒）";
    H_GATE: "Until its first content, so that an error inside a stream becomes another attempt unseen. 0: not.", "直到首个内容出现，使流内错误可以无感换凭证。0：不暂存。";
    N_BUDGET: "Retry budget (%)", "重试预算（%）";
    H_BUDGET: "Attempts beyond the first, in percent of the requests, after failures that cost the upstream work.", "对上游造成负担的失败之后，额外尝试占请求数的比例上限。";
    N_HEDGE: "Second attempts beside slow ones (%)", "慢请求的并行第二次尝试（%）";
    H_HEDGE: "How many of the requests may have one with another credential; whoever answers first serves, and the other one costs its provider's price. 0: none.", "允许用另一凭证并行再试的请求比例；先响应者生效，另一次仍按供应商价格计入成本。0：关闭。";
    N_HEDGE_MS: "Least time before one (ms)", "触发前的最短等待（毫秒）";
    H_HEDGE_MS: "It begins when nearly all first bytes of that credential and model would have come, and never earlier than this.", "当该凭证与模型的绝大多数首字节本应到达时才触发，且不早于此时间。";
    N_HEDGE_USD: "Most that one may waste (USD)", "单次并行尝试最多浪费（美元）";
    H_HEDGE_USD: "By the estimated input, at the dearer of the two. Where it may be more, there is no second attempt.", "按估算输入与两者中较贵的价格计算；可能超过此数时不发起第二次尝试。";
    N_RETRY_UNKNOWN: "Try again although the upstream may have acted", "结果未知时也重试";
    H_RETRY_UNKNOWN: "On: fewer failures, but a request may be served and charged twice.", "启用：失败更少，但同一请求可能被处理并计费两次。";
    N_QUEUE_MS: "Longest wait for a free slot (ms)", "最长排队时间（毫秒）";
    H_QUEUE_MS: "Where all candidates are at their bound of requests at once. 0: refuse at once.", "所有候选都达到并发上限时。0：立即拒绝。";
    N_QUEUE_SIZE: "Requests that may wait, for each provider", "每个供应商的排队上限";
    H_QUEUE_SIZE: "More are refused at once with Retry-After.", "超出者立即拒绝并附 Retry-After。";
    N_COOLDOWN: "Longest cooldown (s)", "最长冷却（秒）";
    H_COOLDOWN: "However long an upstream asks to wait.", "无论上游要求等待多久。";
    N_UNAVAILABLE: "Longest time to be tried last (s)", "最长降级时间（秒）";
    H_UNAVAILABLE: "For a credential whose network fails.", "凭证所在网络故障时排在最后的最长时间。";
    N_NETWORK: "Failed connections count for breakers", "连接失败计入熔断";
    H_NETWORK: "Off: an outage of your own network disables nobody.", "停用：本地网络故障不会使供应商熔断。";
    N_AFFINITY: "Conversations stick to a credential", "会话粘性";
    H_AFFINITY: "Keeps the vendor's prompt cache warm. Providers may be left out one by one.", "有利于命中上游提示缓存。可对单个供应商停用。";
    N_TTL: "A conversation is remembered for (minutes)", "会话绑定保留（分钟）";
    H_TTL: "After its last request; each request renews it.", "自最后一个请求起，每次请求续期。";
    N_CACHE: "A vendor's prompt cache stays warm for (minutes)", "上游提示缓存有效（分钟）";
    H_CACHE: "A conversation that rested longer may go back to a better credential.", "空闲更久的会话可以回到更优的凭证。";
    N_SIGNATURE: "Remove thinking signatures of another account", "移除其他账号的思考签名";
    N_THINKING: "Adjust a thinking budget that the vendor refuses", "调整被上游拒绝的思考预算";
    N_EMPTY: "Remove empty text", "移除空文本";
    N_ORPHANS: "Remove orphaned tool results", "移除孤立的工具结果";
    H_RECTIFY: "Only after the vendor refused the request for it, once, and noted in the request's record.", "仅在上游因此拒绝后执行一次，并记入请求记录。";
}
