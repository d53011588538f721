//! What kept a candidate from being first, sentence by sentence. In braces: `{other}` another candidate, `{mine}` and
//! `{theirs}` the figures of both, `{until}` a time, `{chance}` a share.

super::texts! {
    COOLDOWN: "It rested.", "它正在冷却。";
    UNAVAILABLE: "It failed again and again, like all others.", "它与其他候选一样接连失败。";
    CONCURRENCY: "It was at its limit of requests at once, with {mine} on it.", "它已达并发上限，当时有 {mine} 个请求。";
    BREAKER: "Its breaker was open.", "它的熔断器处于打开状态。";
    LIMIT: "One of its limits was reached.", "它的某项限额已用尽。";
    SCHEDULE: "It was outside the hours of its provider.", "不在其供应商的可用时段内。";
    STATE: "Its state kept it from serving.", "它的账号状态不允许服务。";
    ALLOWANCE: "Too much of its vendor's usage window was used.", "上游用量窗口已用得过多。";
    DISABLED: "It was disabled.", "它已停用。";
    DISABLED_PROVIDER: "The provider was disabled.", "该供应商已停用。";
    UNPRICED: "It had no price for the model.", "它没有该模型的价格。";
    GROUP: "The key may not use the groups of its provider.", "密钥不能使用其供应商的分组。";
    MODEL: "Its provider does not serve the model.", "其供应商不提供该模型。";
    CLIENT: "Its provider does not serve this client.", "其供应商不服务该客户端。";
    NO_CREDENTIAL: "The provider had no credential.", "该供应商没有凭证。";
    TOKEN: "Its access token was over and no fresh one came.", "访问令牌已过期，未能取得新令牌。";
    UNREADABLE: "Its secret could not be decrypted.", "其密钥无法解密。";
    DIALECT: "It speaks another dialect, and the request may not be translated or the provider does not name the model.", "它使用另一种格式，而该请求不允许转换，或供应商未列出该模型。";
    ENDPOINT: "Its provider does not serve this kind of request.", "其供应商不提供此类请求。";
    KEPT_ELSEWHERE: "Another credential keeps the response that the request continues.", "请求所续接的响应保存在另一凭证上。";
    FILTER: "The filter {mine} removed it.", "被筛选条件 {mine} 排除。";
    DEMOTED: "It came last because it failed lately.", "因近期失败而排在最后。";
    AFFINITY: "The conversation is bound to {other}.", "会话已绑定到 {other}。";
    TIER: "Its tier {mine} comes after {theirs} of {other}.", "其层级「{mine}」排在 {other} 的「{theirs}」之后。";
    PRIORITY: "Its priority {mine} comes after {theirs} of {other}; lower is first.", "其优先级 {mine} 排在 {other} 的 {theirs} 之后，数值小者优先。";
    PROVIDER_PRIORITY: "Its provider's priority {mine} comes after {theirs} of {other}; lower is first.", "其供应商优先级 {mine} 排在 {other} 的 {theirs} 之后，数值小者优先。";
    TURN: "It was the turn of {other}.", "当时轮到 {other}。";
    LOAD_BY_WEIGHT: "Requests and weight: it {mine}, {other} {theirs}.", "并发与权重：它为 {mine}，{other} 为 {theirs}。";
    LOAD: "It carried {mine} at once, {other} {theirs}.", "它当时并发 {mine}，{other} 并发 {theirs}。";
    COST: "It charges {mine} times the list price, {other} {theirs} times.", "其价格为定价的 {mine} 倍，{other} 为 {theirs} 倍。";
    LATENCY: "It took {mine} ms to the first byte lately, {other} {theirs} ms.", "它近期首字节用时 {mine} 毫秒，{other} 为 {theirs} 毫秒。";
    WEIGHT: "Its weight is {mine}, that of {other} {theirs}.", "其权重为 {mine}，{other} 为 {theirs}。";
    DRAW: "The draw went to {other}.", "抽签抽中了 {other}。";
    DRAW_OF_TWO: "The draw of two put {other} first.", "两者之间的抽签让 {other} 在先。";
    CHANCE: "It had a chance of {chance}.", "它的机会为 {chance}。";
    UNTIL: "Wait until {until}.", "等到 {until}。";
    PROBE_FROM: "From {until} on one request may probe it.", "{until} 起允许一个请求试探。";
    ONE_SURE: "Otherwise it would have been first.", "否则它会排在第一。";
    ONE_MAYBE: "Otherwise it could have been first.", "否则它可能排在第一。";
    ALL_SURE: "Without all of that it would have been first.", "若无以上各项，它会排在第一。";
    ALL_MAYBE: "Without all of that it could have been first.", "若无以上各项，它可能排在第一。";
}
