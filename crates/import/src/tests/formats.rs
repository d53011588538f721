//! What each format's fixture becomes.

use types::{Patch, Timestamp};

use super::{FIXTURES, plan, told};
use crate::{Auth, Exported, Format, read, write};

#[test]
fn each_fixture_is_recognised_by_its_content() {
    for (name, text) in FIXTURES {
        assert_eq!(read(text).unwrap().format.as_str(), name);
    }
}

#[test]
fn litellm_deployments_become_providers_by_key_and_models() {
    let plan = plan("litellm");
    assert_eq!(
        told(&plan),
        [
            "openai https://api.openai.com openai gpt-4o,gpt-4o-mini",
            "  api_key sk-canary-litellm-openai-0001",
            "openai https://api.openai.com openai gpt-4o",
            "  api_key sk-canary-litellm-openai-0002",
            "anthropic https://api.anthropic.com anthropic sonnet",
            "openai-compatible http://10.0.0.5:8000/v1 hosted_vllm local",
            "  api_key 0123456789012345678901234567",
            "azure-openai https://my-eu.openai.azure.com azure azure-gpt",
            "  api_key canary-litellm-azure-0003",
            "! model_list[3].litellm_params.api_key: the key is in the environment variable ANTHROPIC_API_KEY; add it by hand",
            "! model_list[4].litellm_params.drop_params: is not taken over",
            "! model_list[6].litellm_params.model: names a vendor that Tollgate does not know",
            "! general_settings: is not taken over",
            "! model_list[0]: its limits count for each model by itself, which a key cannot",
        ]
    );
    let [_, second, sonnet, local, azure] = &plan.providers[..] else { panic!("five providers") };
    let key = &second.credentials[0];
    assert_eq!((key.weight, &key.limits.rpm_limit), (Some(3), &Patch::Set(30)));
    assert_eq!(sonnet.input.model_redirects["sonnet"], "claude-sonnet-4-5");
    assert_eq!(sonnet.input.priority, Some(2));
    assert_eq!(local.credentials[0].max_concurrency, Some(4));
    assert_eq!(azure.input.model_redirects["azure-gpt"], "my-deployment");
}

#[test]
fn two_litellm_keys_for_the_same_models_share_a_provider() {
    let entry =
        |key: &str| format!("- {{model_name: m, litellm_params: {{model: groq/m, api_key: {key}}}}}\n");
    let plan = read(&format!("model_list:\n{}{}", entry("k-one"), entry("k-two"))).unwrap();
    assert_eq!(
        told(&plan),
        ["openai-compatible https://api.groq.com/openai groq m", "  api_key k-one", "  api_key k-two"]
    );
}

#[test]
fn channels_of_new_api_keep_keys_order_and_state() {
    let plan = plan("new-api");
    assert_eq!(
        told(&plan),
        [
            "openai https://api.openai.com OpenAI main gpt-4o,gpt-4o-mini",
            "  api_key sk-canary-new-0001",
            "  api_key sk-canary-new-0002",
            "openai-compatible https://api.deepseek.com DeepSeek deepseek-chat",
            "  api_key sk-canary-new-0003",
            "bedrock https://bedrock-runtime.eu-central-1.amazonaws.com Claude on AWS claude-sonnet-4-5",
            r#"  aws {"access_key_id":"AKIACANARY","secret_access_key":"canary-new-aws-secret","region":"eu-central-1"}"#,
            "vertex https://us-central1-aiplatform.googleapis.com/v1/projects/p-1/locations/us-central1 Vertex gemini-2.5-pro",
            r#"  service_account {"type":"service_account","project_id":"p-1","private_key":"canary-new-vertex"}"#,
            "anthropic https://api.anthropic.com Claude ",
            "! data.items[0].param_override: is not taken over",
            "! data.items[1].status: was switched off by a failed test, and comes switched off",
            "! data.items[4]: channel type 2 speaks a protocol that Tollgate does not",
            "! data.items[5].key: holds no key; add it by hand, or export the channels with their keys",
        ]
    );
    let first = &plan.providers[0];
    assert_eq!((first.input.priority, first.input.weight), (Some(-10), Some(1)));
    assert_eq!(first.input.groups, ["default", "vip"]);
    assert_eq!(first.input.model_redirects["gpt-4"], "gpt-4o");
    assert_eq!(first.input.proxy_url.as_ref().unwrap().expose(), "http://user:canary-proxy@10.0.0.9:3128");
    let enabled: Vec<_> = first.credentials.iter().map(|credential| credential.enabled).collect();
    assert_eq!(enabled, [true, false]);
    let on: Vec<_> = plan.providers.iter().map(|provider| provider.input.enabled).collect();
    assert_eq!(on, [Some(true), Some(false), Some(true), Some(true), Some(false)]);
}

#[test]
fn the_same_number_means_another_vendor_in_one_api() {
    let plan = plan("one-api");
    assert_eq!(
        told(&plan),
        [
            "openai-compatible https://api.deepseek.com DeepSeek deepseek-chat",
            "  api_key sk-canary-one-0001",
            "azure-openai https://one.openai.azure.com Azure gpt-4o",
            "  api_key canary-one-0002",
        ]
    );
    assert_eq!((plan.providers[0].input.priority, plan.providers[0].input.weight), (Some(5), Some(100)));
}

#[test]
fn accounts_of_the_relay_service_keep_tokens_expiry_and_proxy() {
    let plan = plan("claude-relay-service");
    assert_eq!(
        told(&plan),
        [
            "anthropic https://reseller.example.com/api Reseller claude-sonnet-4-5,claude-haiku-4-5",
            "  api_key sk-canary-console-0001",
            "openai https://api.openai.com/v1 Responses ",
            "  api_key sk-canary-responses-0001",
            "anthropic https://api.anthropic.com Claude accounts ",
            r#"  oauth {"access_token":"sk-ant-oat-canary-0001","refresh_token":"sk-ant-ort-canary-0001","token_type":"Bearer"}"#,
            "! data.openaiOAuthAccounts[0]: accounts of this vendor speak a protocol that Tollgate does not",
        ]
    );
    let reseller = &plan.providers[0];
    assert_eq!((reseller.input.enabled, reseller.input.priority), (Some(false), Some(60)));
    assert_eq!(reseller.credentials[0].max_concurrency, Some(5));
    assert_eq!(reseller.input.model_redirects.len(), 1);
    let account = &plan.providers[2].credentials[0];
    assert_eq!(account.name.as_deref(), Some("Team Max"));
    assert_eq!(account.expires_at, Some("2026-12-01T10:00:00Z".parse::<Timestamp>().unwrap()));
    assert_eq!(account.scopes.as_deref(), Some("user:profile user:inference"));
    let proxy = account.proxy_url.as_ref().unwrap();
    assert_eq!(proxy.expose(), "socks5://u:canary%20p%40ss@10.0.0.7:1080");
}

#[test]
fn a_backup_of_the_relay_service_tells_what_is_still_encrypted() {
    let plan = read(FIXTURES[4].1).unwrap();
    assert_eq!(
        told(&plan),
        [
            "anthropic https://api.anthropic.com Claude accounts ",
            r#"  oauth {"access_token":"sk-ant-oat-canary-0002","refresh_token":"sk-ant-ort-canary-0002"}"#,
            "! data.claudeAccounts[0].accountType: belonged to chosen keys only; here it serves whoever its provider's groups let in",
            "! data.claudeAccounts[1]: its tokens are still encrypted or blanked out; export with decryption",
            "! data.geminiAccounts[0]: accounts of this vendor speak a protocol that Tollgate does not",
            "! apiKeys: callers' keys and administrators are not taken over; issue new ones",
        ]
    );
    let account = &plan.providers[0].credentials[0];
    assert_eq!(account.account.as_deref(), Some("me@example.com"));
    assert_eq!(account.expires_at, Some(Timestamp(1_796_119_200_000)));
}

#[test]
fn providers_of_the_hub_keep_limits_rules_and_rates() {
    let plan = plan("claude-code-hub");
    assert_eq!(
        told(&plan),
        [
            "anthropic https://api.anthropic.com Main claude-*",
            "  api_key sk-ant-canary-hub-0001",
            "openai-compatible https://r.example.com Masked ",
            "! providers[0].modelRedirects[1]: is a rule that no redirect here can say",
            "! providers[0].circuitBreakerFailureThreshold: is not taken over",
            "! providers[1].key: holds no key, or only its mask; add it by hand",
            "! providers[2].providerType: speaks a protocol that Tollgate does not",
            "! users: callers and their keys are not taken over; issue new ones",
        ]
    );
    let spec = plan.providers[0].input.parse().unwrap();
    assert_eq!(spec.groups, ["team-a", "team-b"]);
    assert_eq!(spec.cost_multiplier.to_string(), "0.8");
    assert_eq!(spec.limits.daily_limit_usd, Some("12.5".parse().unwrap()));
    assert_eq!((spec.timeouts.first_byte_ms, spec.timeouts.idle_ms), (Some(30_000), None));
    assert!(spec.routing.proxy_fallback_to_direct);
    assert_eq!(plan.providers[1].input.model_redirects["gpt-5"], "gpt-5-codex");
    assert_eq!(plan.providers[1].input.enabled, Some(false));
}

#[test]
fn account_files_become_accounts_by_vendor() {
    let plan = plan("cliproxyapi");
    assert_eq!(
        told(&plan),
        [
            "vertex https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1 Vertex AI ",
            r#"  service_account {"type":"service_account","private_key":"canary-cli-vertex"}"#,
            "anthropic https://api.anthropic.com Claude accounts ",
            r#"  oauth {"access_token":"sk-ant-oat-canary-0003","refresh_token":"sk-ant-ort-canary-0003"}"#,
            "openai-compatible https://apis.iflow.cn iFlow accounts ",
            "  api_key sk-canary-cli-iflow-0001",
            "openai-compatible https://portal.qwen.ai Qwen accounts ",
            r#"  oauth {"access_token":"canary-cli-qwen","refresh_token":"r"}"#,
            "! [1]: accounts of this vendor speak a protocol that Tollgate does not",
            "! [2]: accounts of this vendor speak a protocol that Tollgate does not",
            "! [4].cookie: is not taken over",
        ]
    );
    let account = &plan.providers[1].credentials[0];
    assert_eq!(account.account.as_deref(), Some("one@example.com"));
    assert_eq!(account.expires_at, Some("2026-11-01T00:00:00Z".parse().unwrap()));
}

#[test]
fn our_own_export_comes_back_as_it_went() {
    let source = read(FIXTURES[5].1).unwrap();
    let exported: Vec<Exported> = source
        .providers
        .iter()
        .map(|provider| {
            let credentials = provider.credentials.iter().map(|held| {
                let mut input = types::credential::CreateCredential {
                    provider_id: types::ProviderId(1),
                    name: None,
                    api_key: held.secret.clone(),
                    material: types::credential::MaterialInput::default(),
                    tier: Some("fallback".to_owned()),
                    priority: Some(7),
                    weight: Some(9),
                    max_concurrency: Some(2),
                    enabled: Some(false),
                    limits: held.limits.clone(),
                    proxy_url: None,
                    probe: None,
                };
                input.limits.rpm_limit = Patch::Set(5);
                (input.parse("key 1").unwrap(), held.clone())
            });
            Exported {
                spec: provider.input.parse().unwrap(),
                proxy_url: provider.input.proxy_url.clone(),
                credentials: credentials.collect(),
            }
        })
        .collect();
    let text = write(Timestamp(0), &exported);
    let back = read(text.expose()).unwrap();
    assert_eq!((back.format, back.notes.len()), (Format::Own, 0));
    for (went, came) in exported.iter().zip(&back.providers) {
        assert_eq!(came.input.parse().unwrap(), went.spec);
        let clear = |secret: &Option<types::Secret<String>>| secret.as_ref().map(|s| s.expose().clone());
        assert_eq!(clear(&came.input.proxy_url), clear(&went.proxy_url));
    }
    let key = &back.providers[0].credentials[0];
    assert_eq!((key.auth, key.secret.expose().as_str()), (Auth::ApiKey, "sk-ant-canary-hub-0001"));
    assert_eq!((key.tier.as_str(), key.priority, key.weight), ("fallback", Some(7), Some(9)));
    assert_eq!((key.max_concurrency, key.enabled), (Some(2), false));
    assert_eq!(key.limits.rpm_limit, Patch::Set(5));
    assert_eq!(key.name.as_deref(), Some("key 1"));
}

#[test]
fn a_later_version_of_our_export_is_refused_by_its_number() {
    let fault = read(r#"{"tollgate_export": 2, "providers": []}"#).unwrap_err();
    assert!(fault.to_string().contains("version 2"), "{fault}");
}

/// What a file says of its secrets, and notes.
fn secrets(text: &str) -> Vec<String> {
    told(&read(text).unwrap())
}

#[test]
fn litellm_names_projects_regions_and_ways_of_its_own() {
    let file = r#"{"type":"service_account","project_id":"p-1","private_key":"k"}"#;
    let entry = |name: &str, params: serde_json::Value| serde_json::json!({"model_name": name, "litellm_params": params});
    let config = serde_json::json!({"model_list": [
        entry("a", serde_json::json!({"model": "vertex_ai/gemini-a", "vertex_credentials": file, "vertex_location": "global"})),
        entry("b", serde_json::json!({"model": "vertex_ai/gemini-b", "vertex_credentials": file, "vertex_project": "p-2"})),
        entry("c", serde_json::json!({"model": "vertex_ai/gemini-c", "api_key": "express-key"})),
        entry("d", serde_json::json!({"model": "bedrock/converse/anthropic.claude", "aws_region_name": "us-west-2", "api_key": "bedrock-key"})),
        entry("e", serde_json::json!({"model": "bedrock/anthropic.claude", "aws_region_name": "os.environ/REGION"})),
        entry("f", serde_json::json!({"model": "azure/gpt", "api_base": "https://r.openai.azure.com", "tenant_id": "t", "client_id": "c", "client_secret": "s"})),
    ]});
    assert_eq!(
        secrets(&config.to_string()),
        [
            "vertex https://aiplatform.googleapis.com/v1/projects/p-1/locations/global vertex_ai a",
            &format!("  service_account {file}"),
            "vertex https://us-central1-aiplatform.googleapis.com/v1/projects/p-2/locations/us-central1 vertex_ai b",
            &format!("  service_account {file}"),
            "vertex https://aiplatform.googleapis.com vertex_ai c",
            "  api_key express-key",
            "bedrock https://bedrock-runtime.us-west-2.amazonaws.com bedrock d",
            "  api_key bedrock-key",
            "azure-openai https://r.openai.azure.com azure f",
            r#"  client_credentials {"tenant":"t","client_id":"c","client_secret":"s"}"#,
            "! model_list[4].litellm_params: names no `aws_region_name`",
        ]
    );
}

#[test]
fn channels_for_vertex_and_aws_are_read_in_each_of_their_spellings() {
    let file = r#"{"type":"service_account","project_id":"p-1","private_key":"k"}"#;
    let other = r#"{"type":"service_account","project_id":"p-2","private_key":"k"}"#;
    let row = |number: i64, more: serde_json::Value| {
        let mut row = serde_json::json!({"type": number, "name": "c", "models": "m", "key": "", "status": 1});
        for (name, value) in more.as_object().unwrap() {
            row[name] = value.clone();
        }
        row
    };
    let of_new = serde_json::json!([
        row(41, serde_json::json!({"key": format!("[{file},{other}]"), "other": "europe-west1", "tag": "x"})),
        row(41, serde_json::json!({"key": "express-key", "settings": r#"{"vertex_key_type":"api_key"}"#})),
        row(
            33,
            serde_json::json!({"key": "AKIA1|s-1|us-east-1\nAKIA2|s-2|eu-west-1\nbedrock-key|eu-west-1\nnonsense"})
        ),
    ]);
    assert_eq!(
        secrets(&of_new.to_string()),
        [
            "vertex https://europe-west1-aiplatform.googleapis.com/v1/projects/p-1/locations/europe-west1 c m",
            &format!("  service_account {file}"),
            "vertex https://europe-west1-aiplatform.googleapis.com/v1/projects/p-2/locations/europe-west1 c m",
            &format!("  service_account {other}"),
            "vertex https://aiplatform.googleapis.com c m",
            "  api_key express-key",
            "bedrock https://bedrock-runtime.us-east-1.amazonaws.com c m",
            r#"  aws {"access_key_id":"AKIA1","secret_access_key":"s-1","region":"us-east-1"}"#,
            "bedrock https://bedrock-runtime.eu-west-1.amazonaws.com c m",
            r#"  aws {"access_key_id":"AKIA2","secret_access_key":"s-2","region":"eu-west-1"}"#,
            "  api_key bedrock-key",
            "! [2].key, key 4: is no AWS key (id, secret and region with bars between)",
        ]
    );
    let config = r#"{"region":"us-east5","vertex_ai_project_id":"p-9","vertex_ai_adc":"{\"type\":\"service_account\"}"}"#;
    let of_one = serde_json::json!([
        row(42, serde_json::json!({ "key": format!("us-east5|p-3|{file}") })),
        row(42, serde_json::json!({ "config": config })),
        row(33, serde_json::json!({ "config": r#"{"region":"us-east-1","ak":"AKIA3","sk":"s-3"}"# })),
    ]);
    assert_eq!(
        secrets(&of_one.to_string()),
        [
            "vertex https://us-east5-aiplatform.googleapis.com/v1/projects/p-3/locations/us-east5 c m",
            &format!("  service_account {file}"),
            "vertex https://us-east5-aiplatform.googleapis.com/v1/projects/p-9/locations/us-east5 c m",
            r#"  service_account {"type":"service_account"}"#,
            "bedrock https://bedrock-runtime.us-east-1.amazonaws.com c m",
            r#"  aws {"access_key_id":"AKIA3","secret_access_key":"s-3","region":"us-east-1"}"#,
        ]
    );
}

#[test]
fn somebody_who_says_what_a_file_is_decides_between_one_api_and_new_api_and_nothing_else() {
    let rows = r#"[{"type": 43, "key": "k-1", "models": "m", "name": "c"}]"#;
    let as_new = crate::read_as(rows, Some(Format::NewApi)).unwrap();
    assert_eq!(told(&as_new)[0], "openai-compatible https://api.deepseek.com c m");
    let as_one = crate::read_as(rows, Some(Format::OneApi)).unwrap();
    assert!(as_one.providers.is_empty(), "{:?}", told(&as_one));
    let asks =
        |plan: &crate::Plan| plan.notes.iter().any(|note| note.what.contains("if the file is new-api's"));
    assert!(asks(&read(rows).unwrap()) && !asks(&as_one) && !asks(&as_new), "a guess is told as one");
    let same = r#"[{"type": 14, "key": "k-1", "models": "m", "name": "c"}]"#;
    assert!(!asks(&read(same).unwrap()), "nothing depends on it");
    let fault = crate::read_as(rows, Some(Format::LiteLlm)).unwrap_err();
    assert_eq!(fault.to_string(), "this is a file of one-api, not of litellm");
    for format in Format::ALL {
        assert_eq!(Format::parse(format.as_str()), Some(format));
    }
}

#[test]
fn bedrock_accounts_of_the_relay_service_come_with_keys_and_region() {
    let backup = serde_json::json!({"data": {"bedrockAccounts": [
        {"id": "1", "name": "Keys", "region": "eu-west-3", "isActive": "true", "schedulable": "false",
         "awsCredentials": "{\"accessKeyId\":\"AKIA4\",\"secretAccessKey\":\"s-4\",\"sessionToken\":\"t-4\"}"},
        {"id": "2", "name": "Bearer", "credentialType": "bearer_token", "bearerToken": "bedrock-key"},
        {"id": "3", "name": "Sealed", "awsCredentials": {"encrypted": "00ff", "iv": "ff00"}},
        {"id": "4", "name": "Odd", "region": "a/b", "bearerToken": "k"},
    ]}});
    let plan = read(&backup.to_string()).unwrap();
    assert_eq!(
        told(&plan),
        [
            "bedrock https://bedrock-runtime.eu-west-3.amazonaws.com Keys ",
            r#"  aws {"access_key_id":"AKIA4","secret_access_key":"s-4","session_token":"t-4","region":"eu-west-3"}"#,
            "bedrock https://bedrock-runtime.us-east-1.amazonaws.com Bearer ",
            "  api_key bedrock-key",
            "bedrock https://bedrock-runtime.us-east-1.amazonaws.com Sealed ",
            "! data.bedrockAccounts[2]: holds no AWS keys, or ones that are still encrypted; add them by hand",
            "! data.bedrockAccounts[3]: names no region",
        ]
    );
    assert_eq!(plan.providers[0].input.enabled, Some(false));
}
