//! Accounts in the sweep: signed in to, refreshed, refused and withdrawn, at a vendor that repeats all that it is sent.

use fakeup::{Behaviour, Rule};
use serde_json::{Value, json};

use super::Sweep;
use crate::accounts::vendor::Vendor;
use crate::rig::SOON;

const CLIENT: &str = "CANARY-CLIENT-SECRET-8b6f0e27d1c94a35";
const CODE: &str = "CANARY-AUTHORIZATION-CODE-2f9ac471e05d";
const AZURE: &str = "CANARY-AZURE-SECRET-64e1b0937fd2c8a5";
const PASSPHRASE: &str = "CANARY-PASSPHRASE-of-an-export";
/// Made for tests; it opens nothing.
const KEY: &str = include_str!("../../../../crates/oauth/src/assertion/test_key.pem");
/// What a request to a vendor holds that is nobody else's business.
const FIELDS: [&str; 6] =
    ["refresh_token", "code", "code_verifier", "client_secret", "device_code", "assertion"];

impl Sweep {
    /// Runs everything that handles tokens; answers every secret that was in play.
    pub(super) async fn accounts(&mut self) -> Vec<(&'static str, String)> {
        let vendor = Vendor::start(3_600).await;
        vendor.set(|script| script.echoes = true);
        let put = json!({"spec": vendor.spec(), "client_id": "client-1", "client_secret": CLIENT});
        assert_eq!(self.admin("PUT", "/oauth/vendors/test", put).await.status(), 200);
        vendor.set(|script| script.revoked = true);
        let refused = self.signed_in(json!({"provider_id": 1})).await;
        assert!(refused["error"]["message"].as_str().unwrap().contains("[redacted]"), "{refused}");
        vendor.set(|script| script.revoked = false);
        let done = self.signed_in(json!({"provider_id": 1, "name": "account"})).await;
        assert_eq!(done["phase"], "completed", "{done}");
        let id = done["credential_id"].as_i64().unwrap();
        let other = "/auth/enrol/callback?state=unknown&code=";
        let answer = self.program.call("GET", &format!("{other}{CODE}"), "", "").await;
        assert!(answer.status() < 500, "{answer:?}");
        self.used(id, &vendor).await;
        self.by_device(&vendor).await;
        self.by_key_file_and_client(&vendor).await;
        let sealed = self.admin("POST", "/credentials/export", json!({"passphrase": PASSPHRASE})).await;
        assert_eq!(sealed.status(), 200);
        let key: String = KEY.lines().nth(1).unwrap().to_owned();
        let mut secrets = vec![
            ("client secret", CLIENT.to_owned()),
            ("code", CODE.to_owned()),
            ("secret of a client of Entra ID", AZURE.to_owned()),
            ("private key of a service account", key),
            ("passphrase", PASSPHRASE.to_owned()),
            ("access token", "a2-CANARY-access-token".to_owned()),
            ("refresh token", "r2-CANARY-refresh-token".to_owned()),
        ];
        for body in &vendor.script.lock().unwrap().bodies {
            let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
            secrets.extend(pairs.filter_map(|(name, value)| {
                let name = FIELDS.into_iter().find(|known| *known == name)?;
                Some((name, value.to_owned()))
            }));
        }
        for field in FIELDS {
            assert!(secrets.iter().any(|(name, _)| *name == field), "no {field} was in play");
        }
        secrets
    }

    async fn signed_in(&mut self, mut target: Value) -> Value {
        target["vendor"] = json!("test");
        target["way"] = json!("callback");
        target["origin"] = json!("http://gate.example");
        // The address to sign in at is for whoever began; its state is not kept from him.
        let flow = self.admin("POST", "/oauth/flows", target).await.json();
        let url = flow["authorize_url"].as_str().unwrap_or_else(|| panic!("{flow}"));
        let state = url.split("state=").nth(1).unwrap().split('&').next().unwrap();
        let pasted = json!({"pasted": format!("{CODE}#{state}")});
        self.admin("POST", &format!("/oauth/flows/{}/finish", flow["id"]), pasted).await.json()
    }

    /// Requests with the account, whose token the upstream repeats; then it is refreshed, and withdrawn.
    async fn used(&mut self, id: i64, vendor: &Vendor) {
        let message = "no such token: a2-CANARY-access-token, a3-CANARY-access-token";
        let echo = json!({"type": "error", "error": {"message": message, "type": "authentication_error"}});
        let refusal =
            Behaviour { status: Some(403), ..Behaviour::body("application/json", echo.to_string()) };
        self.upstream.script(Rule::model("echo-token", refusal));
        let header = format!("Authorization: Bearer {}\r\n", self.key);
        for turn in 0..8 {
            let model = if turn % 2 == 0 { "echo-token" } else { "m-1" };
            let body =
                json!({"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]});
            self.call("/v1/messages", &format!("{header}x-session-id: t{turn}\r\n"), &body.to_string()).await;
        }
        let refresh = format!("/credentials/{id}/refresh");
        assert_eq!(self.admin("POST", &refresh, Value::Null).await.json()["refreshed"], true);
        vendor.set(|script| script.faults = vec![(500, "<html>".to_owned()); 3].into());
        assert_eq!(self.admin("POST", &refresh, Value::Null).await.json()["refreshed"], false);
        vendor.set(|script| script.revoked = true);
        let refused = self.admin("POST", &refresh, Value::Null).await.json();
        assert!(refused["reason"].as_str().unwrap().contains("[redacted]"), "{refused}");
        self.admin("POST", &format!("/credentials/{id}/check"), Value::Null).await;
        self.admin("GET", &format!("/credentials/{id}"), Value::Null).await;
        self.admin("GET", &format!("/credentials/{id}/events"), Value::Null).await;
    }

    async fn by_device(&mut self, vendor: &Vendor) {
        let asked = vendor.asked();
        let begin = json!({"vendor": "test", "provider_id": 1, "way": "device"});
        let flow = self.admin("POST", "/oauth/flows", begin).await.json();
        vendor.was_asked(asked + 1).await;
        let until = tokio::time::Instant::now() + SOON;
        loop {
            let seen = self.admin("GET", &format!("/oauth/flows/{}", flow["id"]), Value::Null).await.json();
            if seen["phase"] == "error" {
                assert!(seen["error"].as_str().unwrap().contains("[redacted]"), "{seen}");
                return;
            }
            assert!(tokio::time::Instant::now() < until, "{seen}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    async fn by_key_file_and_client(&mut self, vendor: &Vendor) {
        let base = format!("{}/v1/projects/p-1/locations/l", self.upstream.base_url());
        let provider = json!({"name": "vertex", "kind": "vertex", "base_url": base, "api_key": null});
        let vertex = self.admin("POST", "/providers", provider).await.json()["id"].clone();
        let file = json!({
            "type": "service_account", "project_id": "p-1", "private_key_id": "k-1", "private_key": KEY,
            "client_email": "robot@p-1.example.com", "token_uri": format!("{}/token", vendor.url),
        });
        let spec = json!({"provider_id": vertex, "service_account": file.to_string()});
        let robot = self.admin("POST", "/credentials", spec).await.json()["id"].clone();
        let provider = json!({
            "name": "azure", "kind": "azure-openai", "base_url": self.upstream.base_url(), "api_key": null,
        });
        let azure = self.admin("POST", "/providers", provider).await.json()["id"].clone();
        let spec = json!({
            "label": "Entra ID", "grants": ["client_credentials"], "scopes": ["s"],
            "token_url": format!("{}/{{tenant}}/token", vendor.url),
        });
        assert_eq!(self.admin("PUT", "/oauth/vendors/azure", json!({"spec": spec})).await.status(), 200);
        let material = json!({"tenant": "t-1", "client_id": "client-1", "client_secret": AZURE});
        let spec = json!({"provider_id": azure, "client_credentials": material});
        let client = self.admin("POST", "/credentials", spec).await.json()["id"].clone();
        for id in [robot, client] {
            let refused = self.admin("POST", &format!("/credentials/{id}/refresh"), Value::Null).await.json();
            assert!(refused["reason"].as_str().is_some_and(|why| why.contains("[redacted]")), "{refused}");
        }
        vendor.set(|script| script.revoked = false);
    }
}
