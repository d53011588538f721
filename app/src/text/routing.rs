//! Words of the routing pages: policy, aliases, simulator, backtest, and of the decision that they share with the
//! request log.

super::texts! {
    TITLE: "Routing", "路由";
    V_POLICY: "Policy", "策略";
    V_ALIASES: "Aliases", "模型别名";
    V_RULES: "Error rules", "错误规则";
    V_SIMULATE: "Simulator", "模拟";
    V_BACKTEST: "Backtest", "回测";

    S_WEIGHTED: "Draw by weight", "按权重抽取";
    S_ROUND_ROBIN: "In turn", "轮询";
    S_LEAST_LOADED: "Least loaded", "最少并发";
    S_LATENCY: "Quickest", "延迟最低";
    S_CHEAPEST: "Cheapest", "成本最低";
    T_WEIGHTED: "Each equal candidate is first as often as its weight says.", "同级候选按权重抽取，权重越大越常排第一。";
    T_ROUND_ROBIN: "Equal candidates take turns, the longest idle one first.", "同级候选轮流使用，最久未用者优先。";
    T_LEAST_LOADED: "The one with the fewest requests at once in proportion to its weight is first.", "按权重折算后并发最少者优先。";
    T_LATENCY: "Of two drawn at random the quicker one is first, by what it took lately and what it carries now.", "随机取两个，按近期延迟与当前并发选更快者。";
    T_CHEAPEST: "The lowest cost multiplier is first; a draw by weight among equals.", "成本倍率最低者优先，相同则按权重抽取。";
    STRATEGY: "Strategy", "策略";
    STRATEGY_OF_SETTING: "as the setting routing.strategy says", "按全局设置 routing.strategy";
    STRATEGY_GROUP_HELP: "For keys confined to this group.", "作用于限定在该分组的密钥。";
    TIER_ORDER: "Order of tiers", "层级顺序";
    POLICY_TEXT: "A request goes to the first tier that can serve it; there the lowest priority number goes first; among equals the strategy decides.", "请求先用第一个可用层级；层级内优先级数值小者先用；同级之间由策略决定。";
    STEPS: "How a request finds its credential", "请求如何选定凭证";
    STEP_FILTER: "What cannot serve it is left out: format, group, model, client, hours, limits, state, cooldown, breaker, concurrency.", "先排除不可用的：格式、分组、模型、客户端、时段、限额、状态、冷却、熔断、并发。";
    STEP_STICK: "A known conversation stays with its credential, so that the vendor's prompt cache stays warm.", "已有会话保持原凭证，以命中上游的提示缓存。";
    STEP_RANK: "The rest is ranked by tier, priority and strategy.", "其余按层级、优先级与策略排序。";
    STEP_RETRY: "If an attempt fails without having been acted on, the next one in the order is tried.", "若一次尝试失败且上游未处理，则按顺序尝试下一个。";
    REFRESH: "Read the configuration anew", "重新读取配置";
    REFRESH_HELP: "Changes made here are in force at once. This is for changes made to the database from outside.", "在此处的修改立即生效。仅当数据库在外部被修改时需要。";
    DONE_REFRESHED: "The configuration was read anew.", "已重新读取配置。";
    DONE_APPLIED: "The policy is in force. The next request uses it.", "策略已生效，下一个请求即采用。";
    G_ROUTING: "Routing", "路由";
    G_AFFINITY: "Sticky sessions", "会话粘性";
    G_RECTIFY: "Mending requests", "请求修正";

    ALIASES_NONE: "No alias yet.", "还没有别名。";
    ALIASES_TEXT: "An alias is a name that callers ask for, and the models that stand for it, best first. The next one is used when no credential can serve the one before.", "别名是调用方使用的名称，对应一组按优先顺序排列的模型；前一个没有可用凭证时使用下一个。";
    ALIASES_HEAD: "aliases", "个别名";
    ALIAS_NEW: "New alias", "新建别名";
    ALIAS_NAME_HELP: "The name that callers ask for, or a pattern: '*' stands for anything.", "调用方请求的名称，或通配模式（'*' 表示任意）。";
    TARGETS: "Models, best first", "模型（按优先顺序）";
    TARGETS_HELP: "One per line, 1 to 16. The name itself may be among them.", "每行一个，1 到 16 个。可包含别名本身。";
    ALIAS_GONE: "There is no such alias.", "没有此别名。";
    ALIAS_DELETE_TITLE: "Delete this alias?", "删除此别名？";
    ALIAS_DELETE_TEXT: "From the next request on callers get the model that they name, if anybody serves it.", "从下一个请求起按原名查找模型，无人提供则拒绝。";
    TRY_IT: "Simulate", "模拟";

    SIMULATE_TEXT: "Asks the router what a request would meet now. Nothing is sent and nothing is held.", "询问路由器：此刻这样的请求会被如何处理。不会发送任何内容，也不占用额度。";
    SIMULATE_GO: "Simulate", "模拟";
    SIMULATE_FIRST: "Fill in a model to see who would serve it, and why.", "填写模型即可查看由谁提供服务以及原因。";
    AS_KEY: "As key", "以密钥身份";
    ANY_KEY: "no bounds", "不受限";
    SESSION_ID: "Session", "会话";
    USER_AGENT: "User-Agent", "客户端标识";
    SEED: "Seed of the draw", "抽取种子";
    SEED_HELP: "The same seed draws the same order. Empty: a new one.", "相同种子得到相同顺序。留空：随机。";
    WOULD_GO_TO: "would be tried first", "将首先被尝试";
    NOBODY: "Nobody could serve it", "没有可用的凭证";

    CHANGES: "What would have chosen differently", "怎样会有不同的选择";
    CHANGES_TEXT: "The smallest change first.", "按改动从小到大排列。";
    CHANGES_NONE: "No single change would have put another candidate first.", "没有任何单项改动会让其他候选排到第一。";

    BACKTEST_TEXT: "Runs other values over recorded decisions. Nothing changes until you save.", "用新的取值重算已记录的决策。保存之前不会有任何变化。";
    BACKTEST_GO: "Run the backtest", "开始回测";
    BACKTEST_NOTE: "Costs take the same tokens at the other provider's multiplier. Failovers and first byte are expected from what each credential did in the same hours.", "费用按相同 Token 与新供应商的成本倍率计算；换号次数与首字节按各凭证同时段的实际表现估算。";
    BACKTEST_SINCE_HELP: "Empty: the last 24 hours.", "留空：最近 24 小时。";
    BACKTEST_MOST: "At most (requests)", "最多（请求）";
    BACKTEST_EMPTY: "No recorded decision lies in this span.", "该时段内没有已记录的决策。";
    BACKTEST_EMPTY_TEXT: "Each request that goes upstream records its decision. Send some, or take a longer span.", "每个发往上游的请求都会记录决策。请先产生请求，或扩大时间范围。";
    BACKTEST_PROVIDERS: "Values of providers to try", "供应商的试验取值";
    BACKTEST_SAME: "Nothing was changed: this is what the present policy would do.", "未做修改：以下为当前策略的结果。";
    BEFORE: "As recorded", "实际";
    AFTER: "With these values", "新取值";
    MOVED: "Go elsewhere", "改道";
    UNSERVED: "Served by nobody", "无人可用";
    SKIPPED: "Left out", "跳过";
    SKIPPED_NOTE: "their record holds too little", "记录信息不足";
    LOOKED_AT: "Requests looked at", "已评估请求";
    COST: "Providers charge", "供应商收费";
    FAILOVERS: "Attempts beyond the first", "额外尝试";
    FIRST_CHOICES: "First choices", "首选次数";
    SAVE_POLICY: "Save these values", "保存这些取值";
    SAVE_TITLE: "Put these values into force?", "采用这些取值？";
    SAVE_TEXT: "They are used from the next request on. Each change is written to the audit log.", "从下一个请求起生效，每项变更都会写入审计日志。";
    KEEP: "as it is", "保持不变";

    RANKED: "could serve", "可用";
    DEMOTED_UNAVAILABLE: "after all others: its network failed lately", "排在最后：近期连接失败";
    CHANCE: "Chance", "概率";
    LOAD: "Load", "并发";
    LATENCY: "Latency", "延迟";
    MULTIPLIER: "Cost ×", "成本 ×";
    MODELS_OF_ALIAS: "Alias stands for", "别名对应";
    A_OFF: "no session", "无会话";
    A_MISS: "new conversation", "新会话";
    A_HIT: "stayed with its credential", "沿用原凭证";
    A_BROKEN: "its credential could not serve", "原凭证不可用";
    A_FAILBACK: "went back to a better credential, its cache was cold", "缓存已冷，回到更优凭证";
    FROM_CLIENT: "named by the client", "客户端提供";
    FROM_PREFIX: "told by its first messages", "由首批消息推断";
    SESSION: "Session", "会话";
    DRAW: "Seed", "种子";
}
