//! Chinese for sentences that the engine says: results of tasks, health, names of built-in rules, notes on vendors' terms.
//!
//! They reach the page as one English text (the log and the REST API show the same), so the text itself is the key and
//! numbers stand for themselves, as does what follows a colon. What is not known here, such as an upstream's own words, is shown as it came.

use super::Lang;

/// English and Chinese; `{}` is a number.
const SENTENCES: &[(&str, &str)] = &[
    // Tasks.
    ("unchanged at revision {}", "配置未变，版本 {}"),
    ("loaded revision {}", "已载入配置版本 {}"),
    ("{} changes of breakers written", "写入 {} 条熔断器变更"),
    ("{} credentials are back, {} usage windows kept", "{} 个凭证恢复可用，保存 {} 个用量窗口"),
    ("{} tokens refreshed, {} not", "刷新 {} 个令牌，{} 个未成功"),
    ("switched off", "已关闭"),
    ("none of {} is due", "{} 个凭证均未到检查时间"),
    ("another instance checks", "由其他实例检查"),
    ("{} of {} checked, {} failed, {} inconclusive", "检查 {} 个（共 {} 个），失败 {} 个，无法判断 {} 个"),
    (
        "removed {} requests, {} audit rows, {} events, {} checks, {} sessions",
        "清理请求 {} 条、审计 {} 条、事件 {} 条、检查 {} 条、会话 {} 个",
    ),
    ("{} checked, {} violations, {} ms", "核对 {} 项，违例 {} 项，用时 {} 毫秒"),
    ("{} requests, {} sums, {} differ", "请求 {} 条，汇总 {} 项，不一致 {} 项"),
    ("not due yet", "未到时间"),
    ("another instance fetches it", "由其他实例获取"),
    ("{} new, {} changed, {} invalid", "新增 {} 项，变更 {} 项，无效 {} 项"),
    // Health.
    ("{} keys, {} providers in memory", "内存中有 {} 个密钥、{} 个供应商"),
    ("{} parts of the pool could not be set up", "凭证池有 {} 项未能载入"),
    ("no provider is enabled", "没有启用的供应商"),
    ("no provider has a usable credential", "没有供应商具备可用凭证"),
    ("no usable credential for:", "以下类型没有可用凭证："),
    ("no answer within {} s", "{} 秒内没有响应"),
    ("slow: {} ms", "响应慢：{} 毫秒"),
    // Ports of vendors.
    ("another program listens there", "由其他程序监听"),
    ("OAUTH_CALLBACK_HOST is off", "OAUTH_CALLBACK_HOST 已设为 off"),
    // What to do after a check.
    (
        "the vendor does not take this API key: make a new one in the vendor's console and enter it here",
        "供应商不接受此 API 密钥：请在供应商控制台新建密钥并在此填写",
    ),
    (
        "access token expired or revoked: re-authorise this account",
        "访问令牌已过期或被撤销：请重新登录此账号",
    ),
    ("session key expired: sign in again and enter the new one", "会话密钥已过期：请重新登录并填写新的密钥"),
    (
        "obtain a new ChatGPT OAuth token: re-authorise this account",
        "请重新登录此账号以获取新的 ChatGPT OAuth 令牌",
    ),
    (
        "Google OAuth authorisation needed: re-authorise this account, or enable the API in its project",
        "需要 Google OAuth 授权：请重新登录此账号，或在其项目中启用该 API",
    ),
    (
        "the vendor refuses this account: look into its console for what it wants, or enter another key",
        "供应商拒绝此账户：请在其控制台查看原因，或更换密钥",
    ),
    (
        "the account is out of credit or suspended: top it up or ask the vendor, then recover it",
        "账户余额不足或已被停用：请充值或联系供应商，然后恢复该凭证",
    ),
    (
        "it lives; the vendor limits it right now, and it comes back by itself",
        "凭证有效；供应商目前正在限流，稍后会自动恢复",
    ),
    (
        "nothing is counted: look at the network, the proxy and the base address, then check again",
        "不计入失败：请检查网络、代理与基础地址，然后再次检查",
    ),
    (
        "nothing is counted: the vendor does not serve the place that it is asked from; look at the proxy, or at the addresses that the account allows",
        "不计入失败：供应商不为当前出口所在地提供服务；请检查代理，或账户允许的地址",
    ),
    (
        "nothing is counted: whether it works shows with its next request",
        "不计入失败：是否可用将由下一个请求体现",
    ),
    (
        "session keys are asked after only where the setting account_session_key_probe is switched on",
        "仅在开启设置 account_session_key_probe 后才检查会话密钥",
    ),
    // Built-in error rules.
    ("Account out of credit", "账户余额不足"),
    ("Organization switched off", "组织已停用"),
    ("API key not valid", "API Key 无效"),
    ("API key expired", "API Key 已过期"),
    ("Location not served", "所在地区不受支持"),
    ("Model not at this account", "该账户没有此模型"),
    ("Unknown model", "未知模型"),
    ("Model missing", "缺少模型"),
    ("Prompt too long", "提示过长"),
    ("Context too long", "上下文过长"),
    ("Input too long", "输入过长"),
    ("Too many output tokens", "输出 Token 数过大"),
    ("Content filter", "内容过滤"),
    ("Parameter missing", "缺少参数"),
    ("Parameter unknown", "未知参数"),
    ("Parameter not supported", "参数不受支持"),
    ("Value not supported", "取值不受支持"),
    ("Value not valid", "取值无效"),
    ("Input not a list", "输入不是列表"),
    ("Empty content", "内容为空"),
    ("Tool call twice", "工具调用重复"),
    ("Tool named twice", "工具重名"),
    ("Tool result missing", "缺少工具结果"),
    ("Tool call missing", "缺少工具调用"),
    ("Thinking not valid", "思考内容无效"),
    ("Thinking budget", "思考预算有误"),
    ("Too many cache points", "缓存断点过多"),
    ("Stored item gone", "已存条目不存在"),
    ("Stored answer gone", "已存回答不存在"),
    ("Too many PDF pages", "PDF 页数过多"),
    ("PDF not readable", "PDF 无法读取"),
    ("Image not readable", "图片无法读取"),
    ("Image too large", "图片过大"),
    // Vendors' terms.
    (
        "Anthropic's consumer terms reserve subscription accounts for its own programs. Use an API key unless Anthropic gave you a client of your own.",
        "Anthropic 的消费者条款规定订阅账号仅供其自有程序使用。除非 Anthropic 向您提供了专属客户端，否则请使用 API Key。",
    ),
    (
        "OpenAI's terms reserve ChatGPT accounts for its own programs. Use an API key unless OpenAI gave you a client of your own.",
        "OpenAI 的条款规定 ChatGPT 账号仅供其自有程序使用。除非 OpenAI 向您提供了专属客户端，否则请使用 API Key。",
    ),
    (
        "Google allows OAuth clients of your own Cloud project to use APIs that are switched on there. Accounts of the free Code Assist tier are meant for Google's own programs.",
        "Google 允许您自己 Cloud 项目的 OAuth 客户端使用该项目中已启用的 API。免费 Code Assist 账号仅面向 Google 自有程序。",
    ),
    (
        "As for Gemini, with the redirect at this gateway's own address: register it as a web application.",
        "与 Gemini 相同，回调地址为本网关地址：请注册为 Web 应用。",
    ),
    (
        "Qwen's chat accounts are meant for people. Read its terms before you put one behind a gateway.",
        "Qwen 聊天账号面向个人使用。接入网关前请先阅读其条款。",
    ),
    ("Read iFlow's terms before you put an account behind a gateway.", "接入网关前请先阅读 iFlow 的条款。"),
    (
        "AWS reserves Kiro subscriptions for its own programs. Register a client with RegisterClient of your own identity center.",
        "AWS 规定 Kiro 订阅仅供其自有程序使用。请在您自己的 IAM Identity Center 中用 RegisterClient 注册客户端。",
    ),
    (
        "GitHub's terms reserve Copilot for its own programs and partners. Register an OAuth app of your own.",
        "GitHub 的条款规定 Copilot 仅供其自有程序及合作伙伴使用。请注册您自己的 OAuth 应用。",
    ),
    ("Google provides service accounts for programs.", "Google 的服务账号供程序使用。"),
    (
        "Microsoft provides app registrations for programs. Put your tenant into the token address.",
        "Microsoft 的应用注册供程序使用。请将您的租户填入令牌地址。",
    ),
    ("Fill in the addresses of your own authorization server.", "请填写您自己的授权服务器地址。"),
];

/// A sentence of the engine in a language.
pub(crate) fn sentence(lang: Lang, said: &str) -> String {
    if lang == Lang::En {
        return said.to_owned();
    }
    let known = |key: &str| SENTENCES.iter().find(|(en, _)| *en == key).map(|(_, zh)| *zh);
    let (template, numbers) = taken_apart(said);
    let Some(translated) = known(&template) else {
        let (head, tail) = said.split_once(": ").unwrap_or((said, ""));
        return known(&format!("{head}:")).map_or_else(|| said.to_owned(), |head| format!("{head}{tail}"));
    };
    let mut numbers = numbers.into_iter();
    let mut parts = translated.split("{}");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + numbers.next().unwrap_or_default() + part)
}

/// The sentence with `{}` for each number, and the numbers.
fn taken_apart(said: &str) -> (String, Vec<&str>) {
    let (mut template, mut numbers, mut rest) = (String::new(), Vec::new(), said);
    while let Some(from) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, after) = rest.split_at(from);
        let len = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (number, behind) = after.split_at(len);
        template.push_str(before);
        template.push_str("{}");
        numbers.push(number);
        rest = behind;
    }
    template.push_str(rest);
    (template, numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_keeps_its_numbers_and_what_is_unknown_stays_as_it_came() {
        let said = "3 of 40 checked, 1 failed, 0 inconclusive";
        assert_eq!(sentence(Lang::Zh, said), "检查 3 个（共 40 个），失败 1 个，无法判断 0 个");
        assert_eq!(sentence(Lang::En, said), said);
        assert_eq!(sentence(Lang::Zh, "HTTP 401: token 12 is over"), "HTTP 401: token 12 is over");
        assert_eq!(sentence(Lang::Zh, "no usable credential for: gemini"), "以下类型没有可用凭证：gemini");
        assert_eq!(sentence(Lang::Zh, ""), "");
    }

    #[test]
    fn both_halves_hold_the_same_count_of_numbers_and_no_sentence_stands_twice() {
        for (index, (en, zh)) in SENTENCES.iter().enumerate() {
            assert_eq!(en.matches("{}").count(), zh.matches("{}").count(), "{en}");
            assert!(!SENTENCES[..index].iter().any(|(other, _)| other == en), "{en} stands twice");
            assert!(!zh.is_ascii(), "{en} is not translated");
        }
    }
}
