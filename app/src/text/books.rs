//! Words of usage and of the books: audit, reconciliation, a vendor's invoice.

super::texts! {
    USAGE: "Usage", "用量";
    BY: "By", "维度";
    B_DAY: "day", "按天";
    B_HOUR: "hour", "按小时";
    B_MODEL: "model", "按模型";
    B_USER: "user", "按用户";
    B_KEY: "key", "按密钥";
    B_PROVIDER: "provider", "按供应商";
    B_CREDENTIAL: "credential", "按凭证";
    B_GROUP: "group", "按分组";
    B_PACKAGE: "package", "按套餐";
    SPAN_24H: "24 hours", "24 小时";
    SPAN_7D: "7 days", "7 天";
    SPAN_30D: "30 days", "30 天";
    SPAN_90D: "90 days", "90 天";
    COST_OVER_TIME: "Cost", "费用";
    TOKENS_OVER_TIME: "Tokens", "Token";
    USAGE_NONE: "Nothing was booked in this span.", "此时间范围内没有用量。";
    USAGE_NONE_TEXT: "Usage appears here within a second after a request ends. Choose a longer span, or clear the filters.", "请求结束后一秒内即显示在此。可选择更长的时间范围或清除筛选。";
    EXPORT_CSV: "CSV", "导出 CSV";
    EXPORT_JSON: "JSON", "导出 JSON";
    SUM: "Sum", "合计";
    LEADERBOARD: "Most expensive first", "按费用从高到低";
    SHARE: "Share", "占比";
    TOTAL_COST: "charged", "已计费";
    ONLY: "Only", "仅限";

    LEDGER: "Books", "账目";
    V_AUDIT: "Audit", "审计";
    V_RECONCILE: "Reconcile", "对账";
    V_ADJUSTMENTS: "Adjustments", "调整";
    V_INVOICE: "Invoice", "账单比对";
    AUDIT_TEXT: "Checks the invariants of the books: every request booked once, sums equal to rows, no hard limit exceeded, nothing negative. It runs every hour by itself.", "检查账目不变式：每个请求只记一次，汇总与明细一致，硬限额未超，无负数。每小时自动运行一次。";
    AUDIT_NOW: "Audit now", "立即审计";
    AUDIT_OK: "The books agree", "账目一致";
    AUDIT_BAD: "violations in the books", "处账目不一致";
    CHECKED: "things looked at", "项已检查";
    INVARIANTS: "Invariants looked at", "已检查的不变式";
    INVARIANT: "Invariant", "不变式";
    SUBJECT: "Subject", "对象";
    WHAT_IS_WRONG: "What does not hold", "不一致之处";
    AUDIT_FIRST: "Not audited on this page yet.", "尚未在此页面审计。";

    RECONCILE_TEXT: "Adds up the request rows and compares them with the kept sums by hour, user, key, provider, credential and package.", "汇总请求明细，并与按小时、用户、密钥、供应商、凭证、套餐保存的汇总比较。";
    RECONCILE_NOW: "Compare", "开始对账";
    ALL_USERS: "all users", "全部用户";
    RECONCILE_FIRST: "Choose a span and compare.", "请选择时间范围并开始对账。";
    F_SINCE_HELP: "UTC, cut to the hour. Empty: the last seven days.", "UTC，取整点。留空：最近七天。";
    F_UNTIL_HELP: "UTC. Empty: now.", "UTC。留空：现在。";
    RECONCILE_OK: "Everything agrees", "全部一致";
    RECONCILE_BAD: "sums differ from their rows", "个汇总与明细不一致";
    N_ROWS: "rows", "行明细";
    N_COMPARED: "sums compared", "个汇总已比较";
    FROM_ROWS: "From rows", "按明细";
    KEPT: "Kept", "已保存";
    REBUILD: "Rebuild the sums", "重建汇总";
    REBUILD_TITLE: "Rebuild the kept sums from the rows?", "按明细重建汇总？";
    REBUILD_TEXT: "Replaces the sums of this span by what the request rows say. Rows are not changed. Written into the audit log.", "用请求明细重新计算该时间范围的汇总。明细不变，并写入审计日志。";
    REBUILT: "The sums were rebuilt from the rows.", "汇总已按明细重建。";
    S_HOUR: "hour", "小时";
    S_COUNTER: "counter", "计数器";

    INVOICE_TEXT: "Puts a vendor's invoice or usage export beside what the books say the provider charged, by day and model.", "将供应商账单或用量导出与账目中的供应商收费按日、按模型比对。";
    CSV: "CSV file", "CSV 文件";
    CSV_HELP: "A header line with date, model and cost, or the vendor's own names.", "首行为 date、model、cost，或供应商自己的列名。";
    ANY_PROVIDER: "all providers", "全部供应商";
    COMPARE: "Compare", "比对";
    INVOICED: "Invoiced", "账单金额";
    BOOKED: "Booked", "账目金额";
    DAY: "Day (UTC)", "日期（UTC）";
    INVOICE_EQUAL: "Invoice and books agree", "账单与账目一致";
    INVOICE_DIFFERS: "Invoice minus books:", "账单减账目：";
    UNREAD: "Lines that could not be read", "无法读取的行";
    NO_SCRIPTS: "Without scripts only the sums are shown; the lines are in the admin API (POST /api/admin/ledger/invoice).", "未启用脚本时仅显示合计；明细见管理 API（POST /api/admin/ledger/invoice）。";
}
