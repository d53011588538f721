//! Words of the checks of credentials.

super::texts! {
    TITLE: "Checks of credentials", "凭证检查";
    OFF: "Checks are off: a credential that its vendor no longer takes shows only when a request fails.", "检查已关闭：上游不再接受的凭证只有在请求失败时才会被发现。";
    SWITCH_ON: "Switch checks on", "开启检查";
    ON: "Checks are on.", "检查已开启。";
    CUT_OFF: "More than half of the checks got no answer. It is more likely this network than the accounts; nothing is counted against them.", "超过一半的检查没有得到回应，更可能是本地网络而非账号的问题；不计入任何凭证的失败次数。";
    EVERY: "Interval (minutes)", "间隔（分钟）";
    THRESHOLD: "Switched off after failures in a row", "连续失败多少次后停用";
    LAST_RUN: "Last check", "最近检查";
    NEXT_RUN: "Next check", "下次检查";
    CHECKED: "Checked in the last interval", "上一间隔内已检查";
    HEALTHY: "Healthy", "正常";
    ALIVE: "Limited, but alive", "受限但存活";
    FAILED: "Failed", "失败";
    INCONCLUSIVE: "Inconclusive", "无法判断";
    NOT_PROBED: "Not probed", "未探测";
    DISABLED: "Switched off by checks", "被检查停用";
    NEVER: "Never checked", "从未检查";
    AUTO_DISABLED: "Auto-disabled", "自动停用";
    WITH_ERRORS: "With errors", "有错误";
    WITH_ERRORS_TITLE: "Credentials with errors", "有错误的凭证";
    NO_ERRORS: "No credential has errors in a row.", "没有连续出错的凭证。";
    ID: "ID", "编号";
    TYPE: "Type", "类型";
    ENABLED: "Enabled", "启用";
    COUNT: "Errors in a row", "连续错误";
    COUNT_OF: "requests / checks", "请求 / 检查";
    LAST_ERROR: "Last error", "最近错误";
    CHECK_NOW: "Check", "检查";
    CHECK_ALL: "Check all", "全部检查";
    RESET: "Reset errors", "清零错误";
    RESET_ALL: "Reset all errors", "清零全部错误";
    ENABLE: "Reset and enable", "清零并启用";
    CHECK: "Check", "检查结果";
    HISTORY: "Last checks", "最近的检查";
    HISTORY_EMPTY: "It was never checked.", "从未检查过。";
    PROBE: "Probe", "探测";
    RESULT: "Result", "结果";
    STATUS: "Status", "状态码";
    DURATION: "Time", "耗时";
    MESSAGE: "What was said", "说明";
    REMEDY: "What to do", "处理办法";
    DONE: "Checked. What was found stands below.", "检查完成，结果见下方。";
    DONE_RESET: "The errors begin anew.", "错误次数已清零。";
    DONE_ENABLED: "The credential is in use again, and its errors begin anew.", "凭证已重新启用，错误次数已清零。";

    ALLOWANCE: "Used at the vendor", "供应商侧已用";
    RESETS: "begins anew", "重置于";
    BALANCE: "Balance", "余额";
    LEFT_OF: "of", "总额";
    NOTHING_LEFT: "nothing left", "已用完";
    R_ALLOWANCE: "too much of its vendor's window or of its balance is used", "供应商侧用量已达阈值";
    N_ALLOWANCE: "Use at most so much of a vendor's window or balance (%)", "供应商用量窗口或余额的使用上限（%）";
    H_ALLOWANCE: "A credential that has used more is left alone until the window begins anew, or the vendor tells of more money. 100: the vendor decides.", "用量达到后不再选用该凭证，直到窗口重置或供应商报告余额增加。100：由供应商决定。";

    G_ACCOUNT: "Checks of credentials", "凭证检查";
    N_ENABLED: "Check credentials", "检查凭证";
    H_ENABLED: "Asks each vendor now and then: for an account what its vendor's descriptor says, else for the list of models. It costs nothing.", "定期询问各供应商：账号按供应商自己的接口，其他按模型列表。不产生费用。";
    N_INTERVAL: "Interval (minutes)", "间隔（分钟）";
    H_INTERVAL: "Each credential once in this time. Those that were switched off are asked less and less often, at most hourly.", "每个凭证在此时间内检查一次。被停用的凭证检查间隔逐渐加长，最长一小时。";
    N_PARALLEL: "Checks at once", "并行检查数";
    H_PARALLEL: "Bounds how many are asked beside each other.", "限制同时进行的检查数量。";
    N_SESSION_KEY: "Check claude.ai session keys", "检查 claude.ai 会话密钥";
    H_SESSION_KEY: "Sends such a key as a browser's cookie and asks for the account's organisations. Read the vendor's terms first.", "以浏览器 Cookie 的形式发送会话密钥，查询账号所属组织。启用前请先阅读供应商条款。";
    N_THRESHOLD: "Failed checks in a row", "连续检查失败次数";
    H_THRESHOLD: "After so many, a credential is switched off. Outages of the network never count.", "达到后停用该凭证。网络故障不计入。";
}
