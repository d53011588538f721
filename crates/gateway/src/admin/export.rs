//! Handing credentials on to another installation: sealed with a passphrase, never in clear.

use std::collections::HashSet;

use import::{Auth, Exported, PlannedCredential};
use store::{CredentialRow, ProviderRow};
use types::Problem;
use types::credential::CredentialAuth;
use types::import::{CredentialExport, ExportCredentials};

use super::{Admin, Subject};
use crate::identity::password::Passwords;
use crate::identity::problem::store_problem;
use crate::vault::{Purpose, parcel};

const OBJECT: &str = "credential";

impl Admin {
    /// A sealed file of the chosen providers and credentials, or of all. Written down before it is handed out.
    pub async fn credential_export(&self, input: ExportCredentials) -> Result<CredentialExport, Problem> {
        let ExportCredentials { passphrase, provider_ids, credential_ids } = input;
        if passphrase.expose().chars().count() < parcel::PASSPHRASE_CHARS {
            return Err(Problem::field(
                "passphrase",
                "at least 12 characters: it is all that guards the file",
            ));
        }
        let here = self.core.store.config_load().await.map_err(|error| store_problem(error, OBJECT))?;
        for id in &provider_ids {
            if !here.providers.iter().any(|row| row.id == *id) {
                return Err(Problem::field("provider_ids", format!("there is no provider {id}")));
            }
        }
        for id in &credential_ids {
            if !here.credentials.iter().any(|row| row.id == *id) {
                return Err(Problem::field("credential_ids", format!("there is no credential {id}")));
            }
        }
        let all = provider_ids.is_empty() && credential_ids.is_empty();
        let chosen = |row: &CredentialRow| {
            all || provider_ids.contains(&row.provider_id) || credential_ids.contains(&row.id)
        };
        let credentials: Vec<CredentialRow> = here.credentials.into_iter().filter(chosen).collect();
        let owners: HashSet<_> = credentials.iter().map(|row| row.provider_id).collect();
        let wanted = |row: &ProviderRow| all || provider_ids.contains(&row.id) || owners.contains(&row.id);
        let mut file = CredentialExport {
            name: String::new(),
            content: String::new(),
            providers: 0,
            credentials: 0,
            unreadable: 0,
        };
        let mut exported = Vec::new();
        for row in here.providers.into_iter().filter(wanted) {
            let held = credentials.iter().filter(|credential| credential.provider_id == row.id);
            let held: Vec<_> = held.filter_map(|credential| self.opened(credential, &mut file)).collect();
            let proxy_url = match &row.proxy_sealed {
                Some(sealed) => self.core.vault.open(Purpose::ProviderProxy, row.id.0, sealed).ok(),
                None => None,
            };
            file.providers += 1;
            exported.push(Exported { spec: row.spec, proxy_url, credentials: held });
        }
        self.note_export(&file, &exported).await?;
        let now = self.core.clock.now();
        let text = import::write(now, &exported);
        let sealed = Passwords::shared().run(move || parcel::seal(&passphrase, &text)).await?;
        file.content = sealed.map_err(|error| Problem::new("internal", error.to_string()))?;
        let day = now.to_string();
        file.name = format!("tollgate-credentials-{}.txt", day.get(..10).unwrap_or("export"));
        Ok(file)
    }

    fn opened(
        &self,
        row: &CredentialRow,
        file: &mut CredentialExport,
    ) -> Option<(types::credential::CredentialSpec, PlannedCredential)> {
        let vault = &self.core.vault;
        let Ok(secret) = vault.open(Purpose::CredentialSecret, row.id.0, &row.sealed) else {
            file.unreadable += 1;
            return None;
        };
        let auth = match row.auth {
            CredentialAuth::ApiKey => Auth::ApiKey,
            CredentialAuth::Oauth => Auth::OAuth,
            CredentialAuth::ServiceAccount => Auth::ServiceAccount,
            CredentialAuth::ClientCredentials => Auth::ClientCredentials,
            CredentialAuth::Aws => Auth::Aws,
        };
        let mut held = PlannedCredential::new(String::new(), auth, secret);
        held.vendor.clone_from(&row.token.vendor);
        held.account.clone_from(&row.token.account);
        held.scopes.clone_from(&row.token.scopes);
        held.expires_at = row.token.expires_at;
        held.proxy_url = row
            .proxy_sealed
            .as_ref()
            .and_then(|sealed| vault.open(Purpose::CredentialProxy, row.id.0, sealed).ok());
        file.credentials += 1;
        Some((row.spec.clone(), held))
    }

    /// An export that is not written down does not happen.
    async fn note_export(&self, file: &CredentialExport, exported: &[Exported]) -> Result<(), Problem> {
        let names: Vec<_> = exported.iter().map(|one| one.spec.name.as_str()).take(200).collect();
        let counts = serde_json::json!({
            "providers": file.providers,
            "credentials": file.credentials,
            "unreadable": file.unreadable,
            "names": names,
        });
        let subject = Subject { object: OBJECT, id: "export".to_owned(), name: "" };
        let change = self.change("export", &subject, None, Some(counts));
        self.core.store.audit_append(change).await.map_err(|error| store_problem(error, OBJECT))
    }
}
