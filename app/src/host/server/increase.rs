//! Temporary increases: one more or one less in the list of whatever carries limits.
//!
//! The gateway takes the list as a whole, so it is read, changed and written back under the version that was read.

use gateway::Admin;
use types::api_key::UpdateApiKey;
use types::credential::UpdateCredential;
use types::group::UpdateGroup;
use types::limits::{Increase, LimitsInput};
use types::provider::UpdateProvider;
use types::user::UpdateUser;
use types::{ApiKeyId, CredentialId, Patch, Problem, ProviderId, UserId};

use crate::form::increase::IncreaseForm;

/// Adds the increase of the form.
pub(crate) async fn raise(admin: &Admin, form: &IncreaseForm) -> Result<(), Problem> {
    let increase = form.read()?;
    change(admin, form, |all| all.push(increase)).await
}

/// Ends the increase that the form names by limit, amount and end.
pub(crate) async fn lower(admin: &Admin, form: &IncreaseForm) -> Result<(), Problem> {
    let increase = form.read()?;
    change(admin, form, |all| all.retain(|known| *known != increase)).await
}

async fn change(
    admin: &Admin,
    form: &IncreaseForm,
    change: impl FnOnce(&mut Vec<Increase>),
) -> Result<(), Problem> {
    let id = || form.id.parse::<i64>().map_err(|_| Problem::field("id", "expected a whole number"));
    let changed = |mut all: Vec<Increase>| {
        change(&mut all);
        LimitsInput { increases: Patch::Set(all), ..LimitsInput::default() }
    };
    match form.scope.as_str() {
        "user" => {
            let view = admin.user_fetch(UserId(id()?)).await?;
            let (version, limits) = (Some(view.version), changed(view.limits.increases));
            admin.user_update(view.id, UpdateUser { version, limits, ..UpdateUser::default() }).await?;
        }
        "key" => {
            let view = admin.key_fetch(ApiKeyId(id()?)).await?;
            let (version, limits) = (Some(view.version), changed(view.limits.increases));
            admin.key_update(view.id, UpdateApiKey { version, limits, ..UpdateApiKey::default() }).await?;
        }
        "provider" => {
            let view = admin.provider_fetch(ProviderId(id()?)).await?;
            let (version, limits) = (Some(view.version), changed(view.limits.increases));
            let input = UpdateProvider { version, limits, ..UpdateProvider::default() };
            admin.provider_update(view.id, input).await?;
        }
        "credential" => {
            let view = admin.credential_fetch(CredentialId(id()?)).await?;
            let (version, limits) = (Some(view.version), changed(view.limits.increases));
            let input = UpdateCredential { version, limits, ..UpdateCredential::default() };
            admin.credential_update(view.id, input).await?;
        }
        "group" => {
            let groups = admin.group_list().await?;
            let view = groups.into_iter().find(|group| group.name == form.id);
            let view = view.ok_or_else(|| Problem::new("not_found", "there is no such group"))?;
            let (version, limits) = (Some(view.version), changed(view.limits.increases));
            admin.group_put(view.name, UpdateGroup { version, limits, ..UpdateGroup::default() }).await?;
        }
        _ => return Err(Problem::field("scope", "expected one of: user, key, provider, credential, group")),
    }
    Ok(())
}
