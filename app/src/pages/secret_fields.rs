//! What a credential authenticates with: the fields that its kind of provider takes, without scripts.

use leptos::prelude::*;
use types::credential::CredentialAuth;
use types::provider::ProviderKind;

use crate::components::field::{Area, Check, Field, FormState};
use crate::form::provider::CredentialForm;
use crate::text::{provider as p, translator};

/// The fields. A known credential shows those of its own nature, a new one all that its provider's kind takes.
#[component]
pub(crate) fn SecretFields(
    form: FormState,
    kind: ProviderKind,
    /// The nature of a known credential.
    auth: Option<CredentialAuth>,
    present: CredentialForm,
) -> impl IntoView {
    let t = translator();
    let known = auth.is_some();
    let offers = move |one: CredentialAuth| auth.map_or_else(|| kind.takes(one), |own| own == one);
    let others = [CredentialAuth::ServiceAccount, CredentialAuth::ClientCredentials, CredentialAuth::Aws];
    let alone = auth.is_none() && !others.iter().any(|other| kind.takes(*other));
    let (key_help, keep) = if known {
        (p::CREDENTIAL_SECRET_KEEP, p::CREDENTIAL_SECRET_KEEP)
    } else if alone {
        (p::CREDENTIAL_SECRET_HELP, p::CREDENTIAL_SECRET_HELP)
    } else {
        (p::SECRET_ONE_OF, p::CREDENTIAL_SECRET_HELP)
    };
    let CredentialForm { tenant, client_id, access_key_id, region, probe, .. } = present;
    let session = crate::form::checked(&probe);
    let key_help = if session { p::SESSION_KEY_HELP } else { key_help };
    view! {
        {offers(CredentialAuth::ApiKey).then(|| view! {
            <Field form label=p::API_KEY name="api_key" kind="password" help=key_help required=alone/>
        })}
        {offers(CredentialAuth::ServiceAccount).then(|| view! {
            <Area form label=p::KEY_FILE name="key_file" noted_as="service_account" help=p::KEY_FILE_HELP
                placeholder="{ \"type\": \"service_account\", … }"/>
        })}
        {offers(CredentialAuth::ClientCredentials).then(|| view! {
            <p class="help">{t(p::ENTRA_HELP)}</p>
            <Field form label=p::TENANT name="tenant" noted_as="client_credentials.tenant" value=tenant/>
            <div class="pair">
                <Field form label=p::CLIENT_ID name="client_id" noted_as="client_credentials.client_id" value=client_id/>
                <Field form label=p::CLIENT_SECRET name="client_secret" noted_as="client_credentials.client_secret"
                    kind="password" help=keep/>
            </div>
        })}
        {offers(CredentialAuth::Aws).then(|| view! {
            <p class="help">{t(p::AWS_HELP)}</p>
            <div class="pair">
                <Field form label=p::ACCESS_KEY_ID name="access_key_id" noted_as="aws.access_key_id" value=access_key_id/>
                <Field form label=p::SECRET_ACCESS_KEY name="secret_access_key" noted_as="aws.secret_access_key"
                    kind="password" help=keep/>
            </div>
            <div class="pair">
                <Field form label=p::SESSION_TOKEN name="session_token" noted_as="aws.session_token" kind="password"
                    help=p::SESSION_TOKEN_HELP optional=true/>
                <Field form label=p::REGION name="region" noted_as="aws.region" value=region help=p::REGION_HELP
                    placeholder="us-east-1" optional=true/>
            </div>
        })}
        {(auth != Some(CredentialAuth::Oauth)).then(|| view! {
            <Check form label=p::PROBE name="probe" on=session help=p::PROBE_HELP/>
        })}
    }
}
