//! Chinese for what is said of a vendor's descriptor and of a sign-in: what may go wrong with it, and why it failed.
//!
//! As with the engine's other sentences the English text is the key. `{}` stands for an address, a port, an account or
//! a vendor's own words, which stay as they came.

use super::{Lang, holes};

/// English and Chinese, with the same number of `{}` in the same order.
const SAID: &[(&str, &str)] = &[
    (
        "BASE_URL is not set; the address that your browser shows is used",
        "未设置 BASE_URL，将使用浏览器当前地址",
    ),
    (
        "BASE_URL is {}, but your browser shows {}: you will be sent to {}, where you may not be signed in; open the dashboard there first, or correct BASE_URL",
        "BASE_URL 为 {}，而浏览器当前地址是 {}：登录后将回到 {}，您在那里可能尚未登录。请先从该地址打开控制台，或更正 BASE_URL",
    ),
    (
        "port {} is not listened on ({}): after signing in, paste the address that the browser ended at",
        "端口 {} 未监听（{}）：登录后请粘贴浏览器最终停留的地址",
    ),
    (
        "port {} cannot be listened on ({}): after signing in, paste the address that the browser ended at",
        "端口 {} 无法监听（{}）：登录后请粘贴浏览器最终停留的地址",
    ),
    (
        "the vendor sends your browser to port {} of your own machine, and this gateway listens on {} of its own: unless the one leads to the other (in a container: OAUTH_CALLBACK_HOST=0.0.0.0 and the port mapped), the page will not load; then paste its address below",
        "供应商会把浏览器重定向到您本机的端口 {}，而本网关监听的是自己的 {}：除非两者相通（容器中请设置 OAUTH_CALLBACK_HOST=0.0.0.0 并映射端口），否则页面将无法打开，此时请将其地址粘贴到下方",
    ),
    (
        "accounts of this vendor are for providers of kind {}, not {}",
        "该供应商的账号适用于 {} 类型，而不是 {} 类型",
    ),
    (
        "the vendor signed in {}, but this credential is the account {}: sign out at the vendor and begin again as {}, or connect {} as an account of its own",
        "供应商登录的是 {}，但此凭证属于账号 {}：请在供应商处退出登录，以 {} 重新开始；或将 {} 作为新账号连接",
    ),
    ("the vendor said {}", "供应商返回：{}"),
    ("the token endpoint answered {}", "令牌端点返回：{}"),
    ("the token endpoint gave no answer within {} s", "令牌端点在 {} 秒内没有响应"),
    ("is no JSON: line {}, column {}", "不是有效的 JSON：第 {} 行，第 {} 列"),
    ("providers of kind {} take no accounts by OAuth", "{} 类型的供应商不支持 OAuth 账号"),
];

/// A sentence of the list in Chinese.
pub(super) fn known(said: &str) -> Option<String> {
    holes::translated(SAID, said)
}

/// What was said, in a language; what is not known stays as it came.
pub(crate) fn told(lang: Lang, said: &str) -> String {
    match lang {
        Lang::En => said.to_owned(),
        Lang::Zh => known(said).unwrap_or_else(|| said.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_sign_in_reads_chinese_and_keeps_addresses() {
        let said = "BASE_URL is https://a.example, but your browser shows http://b:1: you will be sent to https://a.example, where you may not be signed in; open the dashboard there first, or correct BASE_URL";
        let zh = told(Lang::Zh, said);
        assert!(
            zh.contains("https://a.example") && zh.contains("http://b:1") && zh.starts_with("BASE_URL 为"),
            "{zh}"
        );
        assert_eq!(told(Lang::En, said), said);
        assert_eq!(
            told(Lang::Zh, "the vendor said access_denied: No way"),
            "供应商返回：access_denied: No way"
        );
        assert_eq!(told(Lang::Zh, "quite new"), "quite new");
    }

    #[test]
    fn both_halves_hold_the_same_count_of_holes() {
        for (en, zh) in SAID {
            assert_eq!(en.matches("{}").count(), zh.matches("{}").count(), "{en}");
        }
    }
}
