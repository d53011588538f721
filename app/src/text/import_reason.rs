//! Chinese for what an import says of the lines of somebody's file: why one is left out, what is not taken over, and why
//! a file cannot be read.
//!
//! As with the engine's other sentences the English text is the key. `{}` stands for whatever the file or the engine put
//! there: a name, a number, a variable.

use super::{Lang, holes, problem};

/// English and Chinese, with the same number of `{}` in the same order.
const SAID: &[(&str, &str)] = &[
    // Why a line is left out or renamed.
    ("another provider is called '{}'", "已有供应商名为“{}”"),
    ("none of its credentials can be taken over", "其凭证均无法导入"),
    ("its provider is left out", "所属供应商未导入"),
    ("the file holds it twice", "文件中重复出现"),
    ("is no token set with an access token", "不是包含访问令牌的令牌集"),
    ("its access token is no JWT: {}", "访问令牌不是 JWT，请重新授权该账号（{}）"),
    ("expected tenant, client_id and client_secret", "应包含 tenant、client_id 与 client_secret"),
    ("expected access_key_id and secret_access_key", "应包含 access_key_id 与 secret_access_key"),
    ("expected a region such as us-east-1", "应为区域名，例如 us-east-1"),
    ("a provider of kind '{}' does not take {}", "{} 类型的供应商不接受此类凭证（{}）"),
    ("only http, https and socks5 proxies can be used", "代理仅支持 http、https 与 socks5"),
    ("the address names no host", "地址中没有主机名"),
    ("leave out everything after host and port", "请去掉主机与端口之后的内容"),
    ("the address is too long or holds blanks or control characters", "地址过长，或包含空格、控制字符"),
    ("the key file has no client_email", "密钥文件缺少 client_email"),
    ("the key file has no private_key", "密钥文件缺少 private_key"),
    ("the token_uri of this file has to be an https address", "密钥文件的 token_uri 必须是 https 地址"),
    (
        "this JSON is no key file of a service account (its type is not service_account)",
        "该 JSON 不是服务账号密钥文件（type 不是 service_account）",
    ),
    ("this is no JSON: paste the whole key file as it was downloaded", "不是 JSON，应为下载的完整密钥文件"),
    ("the provider's address names no region, so it has to stand here", "供应商地址中没有区域，须在此填写"),
    ("was tried and not taken: {}", "验证未通过：{}"),
    ("is left out because the import says so", "按要求不导入"),
    // What is not taken over.
    ("is not taken over", "未导入"),
    ("was deleted there", "在原系统中已删除"),
    (
        "was switched off by a failed test, and comes switched off",
        "在原系统中因测试失败被停用，导入后保持停用",
    ),
    ("accounts of this vendor speak a protocol that Tollgate does not", "该厂商账号使用的协议不受支持"),
    ("speaks a protocol that Tollgate does not", "使用的协议不受支持"),
    ("channel type {} speaks a protocol that Tollgate does not", "渠道类型 {} 使用的协议不受支持"),
    ("channel type {} is unknown", "未知的渠道类型 {}"),
    (
        "is read as one-api's; in new-api it is another vendor: if the file is new-api's, say so",
        "按 one-api 解读；在 new-api 中此编号是另一厂商。如文件来自 new-api，请在“来源”中选择",
    ),
    (
        "belonged to chosen keys only; here it serves whoever its provider's groups let in",
        "原为指定密钥专用；导入后供该供应商分组内的所有调用方使用",
    ),
    ("callers and their keys are not taken over; issue new ones", "调用方及其密钥不会导入，请重新签发"),
    (
        "callers' keys and administrators are not taken over; issue new ones",
        "调用方密钥与管理员不会导入，请重新签发",
    ),
    (
        "holds no AWS keys, or ones that are still encrypted; add them by hand",
        "没有 AWS 密钥，或密钥仍处于加密状态，请手动添加",
    ),
    ("holds no access token", "没有访问令牌"),
    ("holds no token set", "没有令牌集"),
    ("holds no service account", "没有服务账号"),
    (
        "holds no key, or one that is still encrypted; add it by hand",
        "没有密钥，或密钥仍处于加密状态，请手动添加",
    ),
    ("holds no key, or only its mask; add it by hand", "没有密钥，或只有脱敏后的密钥，请手动添加"),
    (
        "holds no key; add it by hand, or export the channels with their keys",
        "没有密钥，请手动添加，或连同密钥重新导出渠道",
    ),
    ("is a rule that no pattern here can say", "该规则无法用通配模式表达"),
    ("is a rule that no redirect here can say", "该规则无法用重定向表达"),
    ("is no AWS key (id, secret and region with bars between)", "不是 AWS 密钥（格式为 ID|密钥|区域）"),
    ("is no JSON object of model names", "不是模型名的 JSON 对象"),
    ("is no account file", "不是账号文件"),
    ("is no key file of a service account", "不是服务账号密钥文件"),
    ("is no text", "不是文本文件"),
    (
        "its deployments have different values of `order`, but one provider has one priority",
        "各部署的 order 不同，而一个供应商只有一个优先级",
    ),
    (
        "its deployments have different weights, but one key has one weight",
        "各部署的权重不同，而一个密钥只有一个权重",
    ),
    (
        "its limits count for each model by itself, which a key cannot",
        "其限额按模型分别计算，密钥限额无法表达",
    ),
    ("its key file lies beside the configuration; add it by hand", "密钥文件不在配置内，请手动添加"),
    (
        "its tokens are still encrypted or blanked out; export with decryption",
        "令牌仍处于加密或脱敏状态，请导出解密后的数据",
    ),
    ("names a vendor that Tollgate does not know", "未知的厂商"),
    (
        "names no AWS keys; LiteLLM takes them from its surroundings; add them by hand",
        "未写明 AWS 密钥（LiteLLM 从运行环境读取），请手动添加",
    ),
    (
        "names no `api_base`, and its vendor has no address of its own",
        "未写明 api_base，且该厂商没有默认地址",
    ),
    ("names no `aws_region_name`", "未写明 aws_region_name"),
    ("names no address", "未写明地址"),
    ("names no address, and its type has none of its own", "未写明地址，且该类型没有默认地址"),
    (
        "names no key; LiteLLM takes it from {}; add it by hand",
        "未写明密钥（LiteLLM 从环境变量 {} 读取），请手动添加",
    ),
    ("names no region", "未写明区域"),
    ("names nothing in `credential_list`", "在 credential_list 中找不到所引用的名称"),
    (
        "strips a prefix off the names that its pattern matches, which no redirect can say",
        "会去掉匹配名称的前缀，重定向无法表达",
    ),
    ("the address is in the environment variable {}", "地址在环境变量 {} 中"),
    ("the export was made without secrets; make one with them", "导出时未包含密钥，请重新导出并包含密钥"),
    ("the key is in the environment variable {}; add it by hand", "密钥在环境变量 {} 中，请手动添加"),
    // Why an export is refused.
    ("there is no provider {}", "没有编号为 {} 的供应商"),
    // Why a file cannot be read.
    ("the file is empty", "文件为空"),
    ("the file is too large: at most {} MiB", "文件过大，最大 {} MiB"),
    ("the file is too large: unpacked, at most {} MiB", "文件过大，解压后最大 {} MiB"),
    ("the file is too large: at most {} entries", "文件过大，最多 {} 个条目"),
    ("the file is too large: at most {} files", "文件过多，最多 {} 个"),
    ("the file is too large: at most {} documents", "文档过多，最多 {} 个"),
    ("the file is too large: at most {} values", "文件过大，最多 {} 个值"),
    ("the file is too large: at most {} values nested in each other", "嵌套过深，最多 {} 层"),
    ("JSON that cannot be read, line {}, column {}", "JSON 无法解析：第 {} 行，第 {} 列"),
    ("YAML that cannot be read, line {}, column {}", "YAML 无法解析：第 {} 行，第 {} 列"),
    ("the archive cannot be read: its data is damaged", "压缩包已损坏"),
    ("the archive cannot be read: its base64 is damaged", "base64 已损坏"),
    ("the archive cannot be read: the tar is damaged", "tar 已损坏"),
    ("the archive cannot be read: the directory of the zip is damaged", "zip 已损坏"),
    (
        "the archive cannot be read: it holds a sealed export; unpack it first",
        "压缩包内是加密导出文件，请先解压",
    ),
    (
        "the archive cannot be read: the zip is locked with a password; unpack it first",
        "zip 已加密，请先解压",
    ),
    (
        "the archive cannot be read: the zip uses a method other than store and deflate",
        "zip 使用了不支持的压缩方式，请先解压",
    ),
    (
        "this is none of the known formats (LiteLLM config.yaml, channels of one-api or new-api, accounts of claude-relay-service, providers of claude-code-hub, account files of CLIProxyAPI, our own export)",
        "无法识别的格式。支持 LiteLLM config.yaml、one-api 或 new-api 的渠道、claude-relay-service 的账号、claude-code-hub 的供应商、CLIProxyAPI 的账号文件，以及本系统的导出文件",
    ),
    ("this is a file of {}, not of {}", "该文件来自 {}，而不是 {}"),
    (
        "the export has version {}, which this Tollgate does not know; upgrade first",
        "导出文件的版本为 {}，当前程序无法识别，请先升级",
    ),
    ("the passphrase is wrong, or the export was altered", "口令错误，或导出文件被改动"),
    (
        "this export is sealed; give the passphrase that it was made with",
        "该导出文件已加密，请输入导出时的口令",
    ),
];

/// What was said, in a language.
pub(crate) fn told(lang: Lang, said: &str) -> String {
    if lang == Lang::En {
        return said.to_owned();
    }
    known(said).unwrap_or_else(|| faults(said).into_iter().map(part).collect::<Vec<_>>().join("；"))
}

/// `field: fault; field: fault`, taken apart; a fault may hold a semicolon of its own.
fn faults(said: &str) -> Vec<&str> {
    let begins = |text: &str| {
        let name = text.split_once(": ").map_or("", |(name, _)| name);
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let (mut found, mut from) = (Vec::new(), 0);
    for (at, mark) in said.match_indices("; ") {
        if said.get(at + mark.len()..).is_some_and(begins) {
            found.extend(said.get(from..at));
            from = at + mark.len();
        }
    }
    found.extend(said.get(from..));
    found
}

/// A sentence of the list.
pub(super) fn known(said: &str) -> Option<String> {
    holes::translated(SAID, said)
}

/// A field with what is wrong with it, a file or a place with its fault, or one of the two alone.
fn part(said: &str) -> String {
    match said.split_once(": ") {
        Some((place, fault)) => {
            format!("{place}：{}", problem::field_note(fault, Lang::Zh))
        }
        None => problem::field_note(said, Lang::Zh).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_import_says_reads_chinese_and_keeps_names() {
        for (said, zh) in [
            ("the file holds it twice", "文件中重复出现"),
            ("another provider is called 'main (2)'", "已有供应商名为“main (2)”"),
            ("channel type 43 is unknown", "未知的渠道类型 43"),
            ("YAML that cannot be read, line 3, column 1", "YAML 无法解析：第 3 行，第 1 列"),
            (
                "b.json: JSON that cannot be read, line 1, column 17",
                "b.json：JSON 无法解析：第 1 行，第 17 列",
            ),
            ("this is a file of one-api, not of litellm", "该文件来自 one-api，而不是 litellm"),
            (
                "name: at most 80 characters; base_url: credentials do not belong into the address; add them as a credential",
                "name：最多 80 个字符；base_url：地址中不能包含凭据，请添加为凭证",
            ),
            ("something quite new", "something quite new"),
            ("", ""),
        ] {
            assert_eq!(told(Lang::Zh, said), zh);
            assert_eq!(told(Lang::En, said), said);
        }
    }

    #[test]
    fn both_halves_hold_the_same_count_of_holes_and_no_sentence_stands_twice() {
        for (index, (en, zh)) in SAID.iter().enumerate() {
            assert_eq!(en.matches("{}").count(), zh.matches("{}").count(), "{en}");
            assert!(!SAID[..index].iter().any(|(other, _)| other == en), "{en} stands twice");
            assert!(!zh.is_ascii(), "{en} is not translated");
        }
    }
}
