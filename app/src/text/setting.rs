//! Words of the settings of billing, limits and prices.

super::texts! {
    G_BILLING: "Billing", "计费";
    G_LIMITS: "Limits", "限额";
    G_PRICES: "Prices", "价格";
    N_TIME_ZONE: "Billing time zone", "计费时区";
    H_TIME_ZONE: "IANA name such as Asia/Shanghai. Days, weeks and months of limits and packages begin in it.", "IANA 时区名，例如 Asia/Shanghai。限额与套餐的日、周、月按此时区计算。";
    N_GLOBAL_RATE: "Global price rate", "全局价格倍率";
    H_GLOBAL_RATE: "Replaces every user's own rate unless it is 1. 0 to 1000. Token counts are never altered.", "不为 1 时取代所有用户自己的倍率。0 到 1000。Token 数不会被修改。";
    N_PRICED_MODEL: "Whose price counts after a redirect", "重定向后按谁计价";
    H_PRICED_MODEL: "upstream: the model that was sent, which the vendor bills. requested: the model that was asked for.", "upstream：实际发往上游的模型（供应商按此收费）。requested：请求的模型。";
    N_UNPRICED: "Models without a price", "无价格的模型";
    H_UNPRICED: "allow: serve, flag, and charge nothing until a price is set and requests are re-priced. refuse: refuse them. default_price: charge the prices below.", "allow：照常服务并标记，设置价格并重新计价前不收费。refuse：拒绝。default_price：按下方价格计费。";
    N_DEFAULT_INPUT: "Default input price", "默认输入价格";
    N_DEFAULT_OUTPUT: "Default output price", "默认输出价格";
    H_DEFAULT_PRICE: "USD per million tokens, used where the policy above is default_price.", "USD / 百万 Token，仅在上方策略为 default_price 时使用。";
    N_UNKNOWN: "When nobody can know the outcome", "结果无法得知时";
    H_UNKNOWN: "After a crash or a connection cut before any answer. input: charge the estimated input. reserve: charge all that was held.", "崩溃或在收到响应前断开时。input：按估算输入计费。reserve：按全部预留计费。";
    N_GLOBAL_DAILY: "Whole gateway, a day (USD)", "全局每日限额（USD）";
    N_GLOBAL_MONTHLY: "Whole gateway, a month (USD)", "全局每月限额（USD）";
    H_GLOBAL: "All requests together, never exceeded. 0: no limit.", "所有请求合计，绝不超过。0：不限。";
    N_WAIT: "Wait for money that others hold (ms)", "等待他人预留释放（毫秒）";
    H_WAIT: "A request that only running requests block waits so long before it is refused.", "仅被进行中的请求占用时，最多等待此时长后再拒绝。";
    N_MAX_OUTPUT: "Longest output assumed (tokens)", "假定的最长输出（Token）";
    H_MAX_OUTPUT: "Where neither the request nor the price table bounds it. Smaller holds less.", "请求与价格表都未限定时使用。越小预留越少。";
    N_MONEY_STATUS: "Status of a refusal by a limit in USD", "金额限额拒绝的状态码";
    N_PACKAGE_STATUS: "Status of a refusal by a package", "套餐拒绝的状态码";
    H_STATUS: "What the caller gets. Clients wait and retry on 429.", "返回给调用方的状态码。客户端遇到 429 会等待重试。";
    N_IP: "Requests per minute and address", "每个地址每分钟请求数";
    H_IP: "0: no limit.", "0：不限。";
    N_IP_EXEMPT: "Addresses without that limit", "豁免的地址";
    H_IP_EXEMPT: "Addresses or networks, separated by commas.", "IP 地址或网段，用逗号分隔。";
    N_SYNC_URL: "Price list address", "价格表地址";
    H_SYNC_URL: "A list in LiteLLM's JSON format. Empty: none is fetched.", "LiteLLM 格式的 JSON 价格表。留空：不获取。";
    N_SYNC_HOURS: "Fetch the price list every (hours)", "价格表同步周期（小时）";
    H_SYNC_HOURS: "0: by hand only. Prices set by hand stay.", "0：仅手动。手动设置的价格会保留。";
}
