//! Words of the page of what the process remembers.

super::texts! {
    TITLE: "Sessions and cache", "会话与缓存";
    V_SESSIONS: "Sessions", "会话绑定";
    V_ACCOUNTS: "Credential load", "凭证并发";
    V_USERS: "User load", "用户并发";
    V_UNAVAILABLE: "Unavailable", "不可用标记";
    HEAD_SESSIONS: "conversations stick to a credential", "个会话已绑定凭证";
    HEAD_ACCOUNTS: "credentials, the busiest first", "个凭证，按并发从高到低";
    HEAD_USERS: "users, the busiest first", "个用户，按并发从高到低";
    HEAD_UNAVAILABLE: "marks keep credentials from serving", "个标记使凭证不可用";
    SINCE: "Remembered since", "记录始于";
    FORGETS: "a restart forgets it", "重启后清空";
    T_SESSIONS: "A conversation stays with its credential, so that the vendor's prompt cache stays warm. After a restart it is routed as a new one; nothing else is lost.", "会话保持使用同一凭证，以命中上游的提示缓存。重启后按新会话路由，不会丢失其他数据。";
    T_ACCOUNTS: "Requests that run on each credential at this moment. Clearing sets a counter to zero; running requests go on.", "各凭证此刻正在处理的请求。清除会把计数归零，进行中的请求不受影响。";
    T_USERS: "Requests that each user runs at this moment, against his limits. Clearing sets a counter to zero; running requests go on.", "各用户此刻正在进行的请求及其限额。清除会把计数归零，进行中的请求不受影响。";
    T_UNAVAILABLE: "Cooldowns, open breakers and stored states. Most end by themselves; clearing lets the next request try again.", "冷却、熔断与已存状态。多数会自动结束；清除后下一个请求会重新尝试。";
    E_SESSIONS: "No conversation is bound.", "没有已绑定的会话。";
    E_SESSIONS_TEXT: "A binding is made with the first request of a conversation (Claude Code, Codex, an x-session-id header, or the same first messages), and is forgotten when it rests. Token counting makes none.", "会话的首个请求会建立绑定（Claude Code、Codex、x-session-id 请求头，或相同的首批消息），空闲超时后清除。Token 计数请求不会建立绑定。";
    E_ACCOUNTS: "There is no credential yet.", "还没有凭证。";
    E_ACCOUNTS_TEXT: "Each credential shows here with the requests that run on it.", "每个凭证及其进行中的请求会显示在此。";
    E_USERS: "There is no user yet.", "还没有用户。";
    E_USERS_TEXT: "Each user shows here with his requests and sessions.", "每个用户及其请求与会话会显示在此。";
    E_UNAVAILABLE: "Nothing is marked: every credential may be chosen.", "没有标记：所有凭证均可被选用。";
    E_UNAVAILABLE_TEXT: "A mark is set when an upstream answers 429, 503 or 529, refuses a credential, or fails several times in a row.", "上游返回 429、503、529，拒绝凭证，或连续失败多次时会设置标记。";
    E_SEARCH: "Nothing fits the search.", "没有匹配的条目。";
    SEARCH: "Name or id", "名称或 ID";
    CLEAR: "Clear", "清除";
    CLEAR_ALL: "Clear all", "全部清除";
    CLEAR_TITLE: "Clear all entries?", "清除全部条目？";
    DONE_CLEARED: "Cleared.", "已清除。";
    SESSION: "Session", "会话";
    BOUND_TO: "Bound to", "绑定到";
    HITS: "Requests", "请求数";
    REBINDS: "Moves", "换绑";
    LAST: "Last request", "最近请求";
    FORGOTTEN: "Forgotten", "清除时间";
    WAITING: "Waiting", "排队";
    AT_ONCE: "At once", "并发";
    SESSIONS: "Sessions", "会话";
    MARK: "Mark", "标记";
    ENDS: "Ends", "结束";
    NO_BOUND: "no bound", "不限";
    M_BREAKER_OPEN: "Breaker open", "熔断中";
    M_BREAKER_HALF: "Breaker half open", "熔断半开";
    KEPT: "How long it is kept", "保留时长";
}
