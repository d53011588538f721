//! Codes as sentences, and the engine's field notes in Chinese.
//!
//! The engine speaks English; here its stable codes become what the person at the screen reads.

use std::borrow::Cow;

use types::Problem;

use super::{Lang, Text, import_reason, sign_in};

super::texts! {
    INVALID_INPUT: "Some fields need your attention.", "有字段需要修改。";
    TOKEN_INVALID: "The session is no longer valid. Sign in again.", "会话已失效，请重新登录。";
    TOKEN_EXPIRED: "The session expired. Sign in again.", "会话已过期，请重新登录。";
    INVALID_CREDENTIALS: "That admin token, key or password is not right. Compare its fingerprint with 'tollgate doctor auth'.", "管理员令牌、密钥或密码不正确。可用 'tollgate doctor auth' 比对指纹。";
    MISSING: "Enter the admin token or an API key.", "请输入管理员令牌或 API 密钥。";
    TOO_MANY: "Too many attempts from this address. Wait a minute and try again.", "此地址尝试次数过多，请稍候一分钟再试。";
    FORBIDDEN: "This is open to administrators only.", "仅管理员可访问。";
    NOT_FOUND: "It does not exist, or no longer.", "不存在或已被移除。";
    CONFLICT: "Another one has this name already.", "名称已被占用。";
    MANAGED: "A variable of the environment names this credential. Change it there and restart; here it can only be switched off and on.", "该凭证由环境变量指定，请修改变量并重启；此处只能停用或启用。";
    STALE: "Somebody changed it since this page was loaded. Reload, look, and save again.", "页面加载后已有人修改过。请刷新确认后再保存。";
    DB_UNAVAILABLE: "The database is unavailable. Traffic goes on; changes must wait.", "数据库不可用。流量继续转发，修改请稍后再试。";
    DB_BUSY: "The database is busy. Try again in a moment.", "数据库繁忙，请稍后重试。";
    UNREACHABLE: "The server cannot be reached. Check the connection and try again.", "无法连接到服务器，请检查网络后重试。";
    COOKIE_REFUSED: "The browser did not keep the session cookie.", "浏览器没有保存会话 Cookie。";
    OAUTH_OVER: "This sign-in is over: an answer can be used once, within ten minutes. Begin a new one.", "此次登录已结束：回调结果只能使用一次，且须在十分钟内。请重新开始。";
    OAUTH_OTHER: "This sign-in belongs to another session.", "此次登录由其他会话发起，请在本浏览器中重新开始。";
    OAUTH_UNKNOWN: "No sign-in waits for this answer.", "没有等待此应答的登录，请重新开始。";
    OAUTH_REFUSED: "The vendor refused.", "供应商拒绝了请求。";
    PROBE_FAILED: "The vendor did not take this secret, or could not be asked. Nothing was saved. To save it untried, take the tick from “Ask the vendor first” and enter it again.", "供应商没有接受此密钥，或无法验证。未保存任何内容。如需不验证直接保存，请取消勾选“先向供应商验证”后重新填写。";
    CROSS_ORIGIN: "The form came from another address than this server expects. Open the dashboard under its own address (BASE_URL).", "表单来源地址与服务器预期不一致。请通过 BASE_URL 配置的地址访问控制台。";
}

/// The sentence for a code; `None` where the message itself says more.
pub(crate) fn of_code(code: &str) -> Option<Text> {
    Some(match code {
        "invalid_input" => INVALID_INPUT,
        "token_invalid" => TOKEN_INVALID,
        "token_expired" => TOKEN_EXPIRED,
        "invalid_credentials" | "malformed_authorization" => INVALID_CREDENTIALS,
        "missing_authorization" => MISSING,
        "too_many_attempts" => TOO_MANY,
        "forbidden" => FORBIDDEN,
        "not_found" => NOT_FOUND,
        "conflict" => CONFLICT,
        "stale_version" => STALE,
        "managed_by_environment" => MANAGED,
        "database_unavailable" => DB_UNAVAILABLE,
        "database_busy" | "overloaded" => DB_BUSY,
        "unreachable" => UNREACHABLE,
        "cookie_refused" => COOKIE_REFUSED,
        "oauth_flow_over" => OAUTH_OVER,
        "oauth_other_session" => OAUTH_OTHER,
        "oauth_state_unknown" => OAUTH_UNKNOWN,
        "oauth_refused" => OAUTH_REFUSED,
        "probe_failed" => PROBE_FAILED,
        "cross_origin" | "cross_site" | "bad_origin" => CROSS_ORIGIN,
        _ => return None,
    })
}

/// The headline of a problem.
pub(crate) fn headline(problem: &Problem, lang: Lang) -> String {
    of_code(&problem.code).map_or_else(|| problem.message.clone(), |text| text.in_lang(lang).to_owned())
}

/// Whether signing in again is the way out.
pub(crate) fn wants_sign_in(problem: &Problem) -> bool {
    matches!(problem.code.as_str(), "token_invalid" | "token_expired" | "missing_authorization")
}

const EXACT: &[(&str, &str)] = &[
    ("must not be empty", "不能为空"),
    ("must be the provider's name", "必须是该供应商的名称"),
    ("at most 80 characters", "最多 80 个字符"),
    ("must not hold control characters", "不能包含控制字符"),
    ("at most 50", "最多 50 个"),
    ("at most 500", "最多 500 个"),
    ("at most 200 redirects", "最多 200 条重定向"),
    ("at most 200 networks", "最多 200 个网段"),
    ("leave out the quotation marks", "请去掉引号"),
    ("expected 12 to 256 bytes", "应为 12 到 256 字节"),
    ("expected true or false", "应为 true 或 false"),
    ("expected a whole number", "应为整数"),
    ("expected a time such as 2026-11-21T08:30:00Z", "应为时间，例如 2026-11-21T08:30:00Z"),
    ("expected personal, shared and fallback, each once", "personal、shared、fallback 应各出现一次"),
    (
        "expected 1 to 16,384 visible characters without blanks or line ends",
        "应为 1 到 16,384 个可见字符，不含空白与换行",
    ),
    (
        "not a complete address; expected something like https://api.example.com",
        "地址不完整，应类似 https://api.example.com",
    ),
    ("only http and https addresses can be used", "仅支持 http 与 https 地址"),
    (
        "credentials do not belong into the address; add them as a credential",
        "地址中不能包含凭据，请添加为凭证",
    ),
    ("leave out everything from '?' or '#' on", "请去掉 '?' 或 '#' 及其后的内容"),
    ("the address is too long or holds control characters", "地址过长或包含控制字符"),
    (
        "at most 50 names or User-Agent prefixes of at most 100 characters",
        "最多 50 个名称或 User-Agent 前缀，每个不超过 100 个字符",
    ),
    ("expected a decimal number of USD such as 0.25", "应为 USD 金额，例如 0.25"),
    ("must not be negative", "不能为负数"),
    ("at most nine digits after the decimal point", "最多九位小数"),
    ("at most 9223372036 USD", "最大 9223372036 USD"),
    (
        "expected a number from 0 to 1000 with at most six digits after the decimal point",
        "应为 0 到 1000 的数字，最多六位小数",
    ),
    ("expected a time of the day such as 18:30", "应为时刻，例如 18:30"),
    ("only limits in USD can be estimated", "只有金额限额可以按估算预留"),
    ("only limits in USD can be increased for a while", "只有金额限额可以临时提高"),
    ("at most 20", "最多 20 项"),
    ("at most 1,000,000,000", "最大 1,000,000,000"),
    ("a subscription has amounts by day, week or month", "订阅型套餐按日、周、月设置额度"),
    ("a subscription needs an amount by day, week or month", "订阅型套餐至少需要一个日、周或月额度"),
    ("a quota needs a total", "总额型套餐需要填写总额"),
    ("a quota has one total only", "总额型套餐只有一个总额"),
    ("the kind of a package cannot change; make a new one", "套餐类型不可修改，请新建套餐"),
    (
        "expected a model name or pattern of at most 200 visible characters",
        "应为模型名或通配模式，最多 200 个可见字符",
    ),
    (
        "a price needs an amount; set `free` for a model that costs nothing",
        "价格至少需要一个金额；如需免费请勾选免费",
    ),
    ("a free model has no amounts", "免费模型不能填写金额"),
    ("thresholds must be above zero and ascend", "阈值必须大于零并依次递增"),
    ("required", "必填"),
    ("unknown field", "未知字段"),
    ("choose the package to grant", "请选择要授予的套餐"),
    ("there is no such package; it may have been deleted", "没有此套餐，可能已被删除"),
    ("must be after the start", "必须晚于开始时间"),
    ("must lie in the future", "必须晚于当前时间"),
    ("this user has no such package", "该用户没有此套餐"),
    (
        "say why, in 1 to 500 characters; it stays in the books",
        "请填写原因（1 到 500 个字符），它会保留在账目中",
    ),
    ("must be before until", "必须早于截止时间"),
    ("give a list or an address, not both", "价格表与地址只能提供其一"),
    ("give a price list, or an address to fetch it from", "请提供价格表或其地址"),
    ("the file is larger than 16 MiB", "文件超过 16 MiB"),
    ("the file has no header line", "文件没有表头行"),
    ("expected an IANA time zone such as Europe/Berlin", "应为 IANA 时区，例如 Asia/Shanghai"),
    ("expected an http or https address, or nothing", "应为 http 或 https 地址，或留空"),
    ("fill in both times, or neither", "两个时间须同时填写或同时留空"),
    ("start and end are the same; leave it out for always", "开始与结束相同；全天请留空"),
    ("expected a model name, or a pattern with *", "应为模型名，或带 * 的通配模式"),
    ("a model stands there twice", "同一模型出现了两次"),
    ("is needed", "必填"),
    (
        "a rule needs a status, a type or a text; otherwise it would match everything",
        "规则至少需要状态码、类型或文本之一，否则会匹配所有错误",
    ),
    ("is not something that an upstream's answer can mean", "上游响应不可能表示此含义"),
    (
        "expected at most 100 patterns of at most 200 printable characters",
        "最多 100 个模式，每个最多 200 个可见字符",
    ),
    ("expected lines of the form requested = sent upstream", "每行格式应为：请求的模型 = 发往上游的模型"),
    (
        "paste the whole address that the browser ended at, or the code that the vendor shows",
        "请粘贴浏览器最终停留的完整地址，或供应商显示的代码",
    ),
    (
        "this is the address from before the sign-in; paste the one that the browser ended at",
        "这是登录前的地址，请粘贴登录后浏览器最终停留的地址",
    ),
    (
        "the state is missing: paste everything that the vendor shows, also what follows the #",
        "缺少 state：请粘贴供应商显示的全部内容，包括 # 之后的部分",
    ),
    (
        "this holds no code; paste the whole address that the browser ended at",
        "其中没有代码，请粘贴浏览器最终停留的完整地址",
    ),
    (
        "this belongs to another sign-in; paste what came of this one",
        "这属于另一次登录，请粘贴本次登录的结果",
    ),
    ("this vendor has no device codes", "该供应商不支持设备代码"),
    ("this vendor has no sign-in by browser; use a device code", "该供应商不支持浏览器登录，请使用设备代码"),
    ("this vendor has no fixed port; use callback or paste", "该供应商没有固定端口，请使用回调或手动粘贴"),
    ("enter the id of the client that you registered with the vendor", "请填写在供应商处注册的客户端 ID"),
    (
        "nobody signs in with this vendor: its accounts are added by their key file or client",
        "无需登录：该供应商的账号通过密钥文件或客户端添加",
    ),
    ("another vendor has this name already; choose another one", "已有同名供应商，请换一个名称"),
    ("expected 1 to 40 small letters, digits, - or _", "应为 1 到 40 个小写字母、数字、- 或 _"),
    ("a new vendor needs a descriptor", "新供应商需要填写描述"),
    (
        "credentials are connected with this vendor; delete them first",
        "仍有凭证通过此供应商连接，请先删除这些凭证",
    ),
    (
        "expected https://: secrets go there, and http:// stays within your own network",
        "应为 https://：机密会发往该地址，http:// 仅限您自己的网络",
    ),
    (
        "expected an http:// or https:// address without blanks, user or fragment",
        "应为 http:// 或 https:// 地址，不含空格、用户名与片段",
    ),
    ("expected an address, or a path that begins with /", "应为地址，或以 / 开头的路径"),
    ("expected a path that begins with /", "应为以 / 开头的路径"),
    ("expected at least one", "至少需要一项"),
    ("is needed to sign in with the browser", "浏览器登录需要此项"),
    ("is needed to sign in with a device code", "设备代码登录需要此项"),
    ("expected the name of a header", "应为请求头名称"),
    (
        "expected names and values of headers, and none that the connection owns or that carries a secret",
        "应为请求头的名称与取值，不能是由连接决定的或携带机密的请求头",
    ),
    ("expected at most 32 names with short values", "最多 32 个名称，取值须简短"),
    ("expected at most 32 scopes without blanks", "最多 32 个权限范围，不含空格"),
    (
        "set BASE_URL, so that the vendor knows where to send you back to",
        "请设置 BASE_URL，供应商才知道回调到哪里",
    ),
];

const AFFIXES: &[(&str, &str, &str, &str)] = &[
    (
        "",
        " is set by the sign-in itself; a client's id and secret have their own fields",
        "",
        " 由登录过程自行设置；客户端 ID 与密钥有各自的字段",
    ),
    ("expected a whole number, ", "", "应为整数，范围 ", ""),
    ("expected one of: ", "", "应为以下之一：", ""),
    ("expected ", " seconds", "应为 ", " 秒"),
    ("at most ", " characters", "最多 ", " 个字符"),
    ("expected ", " models", "应为 ", " 个模型"),
    ("", " is no model name", "", " 不是模型名"),
    ("expected ", " milliseconds", "应为 ", " 毫秒"),
    ("at most ", ", the limit of its user", "最多 ", "，即所属用户的限额"),
    ("", " is too long or holds a blank or comma", "", " 过长，或包含空格、逗号"),
    ("", " is no model name or pattern", "", " 不是模型名或通配模式"),
    ("", " is no pair of model names", "", " 不是有效的模型对"),
    ("", " is no address or network such as 10.0.0.0/8", "", " 不是 IP 地址或网段（如 10.0.0.0/8）"),
    ("expected ", "", "应为 ", ""),
];

/// A note on one field. What is not known stays English: an exact sentence beats a vague one.
pub(crate) fn field_note(note: &str, lang: Lang) -> Cow<'_, str> {
    if lang == Lang::En {
        return Cow::Borrowed(note);
    }
    if let Some((_, zh)) = EXACT.iter().find(|(en, _)| *en == note) {
        return Cow::Borrowed(zh);
    }
    if let Some(zh) = sign_in::known(note).or_else(|| import_reason::known(note)) {
        return Cow::Owned(zh);
    }
    AFFIXES
        .iter()
        .find_map(|(head, tail, zh_head, zh_tail)| {
            let middle = note.strip_prefix(head)?.strip_suffix(tail)?;
            Some(Cow::Owned(format!("{zh_head}{}{zh_tail}", middle.replace(" to ", " 到 "))))
        })
        .unwrap_or(Cow::Borrowed(note))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_field_notes_read_chinese() {
        for note in ["must not be empty", "expected 1 to 100", "expected 100 to 120000 milliseconds"] {
            assert!(field_note(note, Lang::Zh).chars().any(|c| c > '\u{4e00}'), "{note}");
            assert_eq!(field_note(note, Lang::En), note);
        }
    }

    #[test]
    fn notes_that_types_really_makes_are_known() {
        let input: types::user::CreateUser =
            serde_json::from_str(r#"{"name":"","password":"short"}"#).unwrap();
        for note in input.parse().unwrap_err().fields.values() {
            assert_ne!(field_note(note, Lang::Zh), note.as_str());
        }
    }
}
