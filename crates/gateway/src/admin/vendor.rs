//! The vendors that accounts are connected with: presets of the program, changed or added to by the operator. A
//! client's secret is write-only.

use std::collections::HashMap;

use serde_json::{Value, json};
use store::{SealedSecret, VendorRow};
use types::oauth::{Grant, PutVendor, VendorSpec, VendorView, is_vendor_name};
use types::{Patch, Problem};

use super::{Admin, Subject, trail};
use crate::identity::problem::{not_found, store_problem};
use crate::vault::{Purpose, VaultError};

const OBJECT: &str = "vendor";
/// Where vendors send browsers back to.
pub(super) const CALLBACK: &str = "/auth/enrol/callback";
/// Vendors that an operator may add.
const MOST: usize = 100;

impl Admin {
    /// Every vendor by name.
    pub async fn vendor_list(&self) -> Result<Vec<VendorView>, Problem> {
        let store = &self.core.store;
        let rows = store.oauth_vendor_list().await.map_err(|e| store_problem(e, OBJECT))?;
        let counts = self.vendor_counts().await?;
        let mut views: Vec<VendorView> = rows.iter().map(|row| of_row(row, &counts)).collect();
        let untouched =
            oauth::presets().iter().filter(|(name, _)| !rows.iter().any(|row| row.name == **name));
        views.extend(untouched.map(|(name, spec)| of_preset(name, spec, &counts)));
        views.sort_by(|one, other| one.name.cmp(&other.name));
        for view in &mut views {
            self.look_at_return(view).await;
        }
        Ok(views)
    }

    /// One vendor.
    pub async fn vendor_fetch(&self, name: String) -> Result<VendorView, Problem> {
        let counts = self.vendor_counts().await?;
        let row = self.core.store.oauth_vendor_fetch(&name).await.map_err(|e| store_problem(e, OBJECT))?;
        let mut view = match (row, oauth::preset(&name)) {
            (Some(row), _) => of_row(&row, &counts),
            (None, Some(spec)) => of_preset(&name, spec, &counts),
            (None, None) => return Err(not_found(OBJECT)),
        };
        self.look_at_return(&mut view).await;
        Ok(view)
    }

    /// Where the vendor sends browsers back to: what it has to be told (OA-01), and whether the port can be had (OA-02).
    async fn look_at_return(&self, view: &mut VendorView) {
        if view.spec.grants.contains(&Grant::AuthorizationCode) {
            let own = self.core.config.site.base_url.as_deref();
            let own = own.map(|base| format!("{}{CALLBACK}", base.trim_end_matches('/')));
            let pasted = Some(view.spec.paste_redirect.clone()).filter(|uri| !uri.is_empty());
            view.redirect_uris = own.into_iter().chain(fixed_redirect(&view.spec)).chain(pasted).collect();
        }
        if let Some(port) = view.spec.callback_port {
            view.port = Some(self.core.loopback.look(self.core.config.oauth_callback_host, port).await);
        }
    }

    /// Adds a vendor, or changes one; a preset that is changed is stored with its changes.
    pub async fn vendor_put(&self, name: String, input: PutVendor) -> Result<VendorView, Problem> {
        if !is_vendor_name(&name) {
            return Err(Problem::field("name", "expected 1 to 40 small letters, digits, - or _"));
        }
        let store = &self.core.store;
        let row = store.oauth_vendor_fetch(&name).await.map_err(|e| store_problem(e, OBJECT))?;
        let stored = row.as_ref().map_or(0, |row| row.version);
        self.expect_version(OBJECT, &name, input.version, stored).await?;
        if row.is_none()
            && store.oauth_vendor_list().await.map_err(|e| store_problem(e, OBJECT))?.len() >= MOST
        {
            return Err(Problem::field("name", format!("at most {MOST} vendors")));
        }
        let known = row.as_ref().map(|row| row.spec.clone()).or_else(|| oauth::preset(&name).cloned());
        let spec = input.spec.clone().or_else(|| known.clone());
        let spec = spec.ok_or_else(|| Problem::field("spec", "a new vendor needs a descriptor"))?;
        spec.check()?;
        let was = row.as_ref().map_or("", |row| row.client_id.as_str());
        let client_id = input.client_id.as_deref().unwrap_or(was).trim().to_owned();
        if client_id.len() > 500 || client_id.chars().any(char::is_control) {
            return Err(Problem::field("client_id", "expected at most 500 characters"));
        }
        let secret = input.client_secret.clone();
        if let Patch::Set(secret) = &secret
            && (secret.expose().trim().is_empty() || secret.expose().len() > 4_000)
        {
            return Err(Problem::field("client_secret", "expected 1 to 4,000 characters"));
        }
        let mut after = told(&spec, &client_id);
        if !matches!(secret, Patch::Keep) {
            trail::mark_changed(&mut after, "client_secret");
        }
        let before = row.as_ref().map(|row| told(&row.spec, &row.client_id));
        let (before, after) = match &before {
            None => (None, after),
            Some(before) => match trail::changed(before, &after) {
                Some((before, after)) => (Some(before), after),
                None => return self.vendor_fetch(name).await,
            },
        };
        let subject = Subject { object: OBJECT, id: name.clone(), name: &name };
        let change =
            self.change(if stored == 0 { "create" } else { "update" }, &subject, before, Some(after));
        let vault = &self.core.vault;
        let seal = |id: i64| -> Result<Option<Option<SealedSecret>>, VaultError> {
            Ok(match &secret {
                Patch::Keep => None,
                Patch::Clear => Some(None),
                Patch::Set(secret) => Some(Some(SealedSecret {
                    sealed: vault.seal(Purpose::VendorSecret, id, secret)?,
                    hint: secret.masked(),
                })),
            })
        };
        match store.oauth_vendor_put(&name, stored, &spec, &client_id, seal, change).await {
            Ok(_) => {
                self.take_effect().await?;
                self.vendor_fetch(name).await
            }
            Err(error) => Err(self.change_problem(error, OBJECT, &name).await),
        }
    }

    /// Adds a vendor of a new name.
    pub async fn vendor_add(&self, name: String, input: PutVendor) -> Result<VendorView, Problem> {
        match self.vendor_fetch(name.clone()).await {
            Ok(_) => Err(Problem::field("name", "another vendor has this name already; choose another one")),
            Err(problem) if problem.code == "not_found" => self.vendor_put(name, input).await,
            Err(problem) => Err(problem),
        }
    }

    /// Forgets what was changed of a preset, or a vendor that was added.
    pub async fn vendor_delete(&self, name: String) -> Result<(), Problem> {
        let counts = self.vendor_counts().await?;
        if oauth::preset(&name).is_none() && counts.get(&name).is_some_and(|count| *count > 0) {
            return Err(Problem::field(
                "name",
                "credentials are connected with this vendor; delete them first",
            ));
        }
        let row = self.core.store.oauth_vendor_fetch(&name).await.map_err(|e| store_problem(e, OBJECT))?;
        let row = row.ok_or_else(|| not_found(OBJECT))?;
        let subject = Subject { object: OBJECT, id: name.clone(), name: &name };
        let change = self.change("delete", &subject, Some(told(&row.spec, &row.client_id)), None);
        self.core.store.oauth_vendor_delete(&name, change).await.map_err(|e| store_problem(e, OBJECT))?;
        self.take_effect().await
    }

    async fn vendor_counts(&self) -> Result<HashMap<String, u32>, Problem> {
        let counts =
            self.core.store.credential_count_by_vendor().await.map_err(|e| store_problem(e, OBJECT))?;
        Ok(counts.into_iter().map(|(name, count)| (name, u32::try_from(count).unwrap_or(u32::MAX))).collect())
    }
}

fn told(spec: &VendorSpec, client_id: &str) -> Value {
    let mut told = serde_json::to_value(spec).unwrap_or_default();
    if let Value::Object(map) = &mut told {
        map.insert("client_id".to_owned(), json!(client_id));
    }
    told
}

fn of_row(row: &VendorRow, counts: &HashMap<String, u32>) -> VendorView {
    let preset = oauth::preset(&row.name);
    VendorView {
        name: row.name.clone(),
        missing: missing(&row.spec, &row.client_id),
        port: None,
        redirect_uris: Vec::new(),
        spec: row.spec.clone(),
        client_id: row.client_id.clone(),
        secret_hint: row.secret_hint.clone(),
        preset: preset.is_some(),
        changed: preset.is_none_or(|preset| *preset != row.spec),
        credentials: counts.get(&row.name).copied().unwrap_or(0),
        updated_at: Some(row.updated_at),
        version: row.version,
    }
}

fn of_preset(name: &str, spec: &VendorSpec, counts: &HashMap<String, u32>) -> VendorView {
    VendorView {
        name: name.to_owned(),
        missing: missing(spec, ""),
        port: None,
        redirect_uris: Vec::new(),
        spec: spec.clone(),
        client_id: String::new(),
        secret_hint: None,
        preset: true,
        changed: false,
        credentials: counts.get(name).copied().unwrap_or(0),
        updated_at: None,
        version: 0,
    }
}

/// The redirect to the vendor's fixed port, if it has one.
pub(super) fn fixed_redirect(spec: &VendorSpec) -> Option<String> {
    spec.callback_port.map(|port| format!("http://localhost:{port}{}", spec.callback_path))
}

/// What keeps anybody from signing in with a vendor.
pub(super) fn missing(spec: &VendorSpec, client_id: &str) -> Option<String> {
    let people =
        spec.grants.iter().any(|grant| matches!(grant, Grant::AuthorizationCode | Grant::DeviceCode));
    if !people {
        return Some(
            "nobody signs in with this vendor: its accounts are added by their key file or client".to_owned(),
        );
    }
    client_id.is_empty().then(|| "enter the id of the client that you registered with the vendor".to_owned())
}
