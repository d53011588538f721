//! Settings: each with its default, its range, and who changed it last.

use leptos::prelude::*;
use types::setting::SettingView;

use super::setting_row::Setting;
use crate::api;
use crate::components::flash::{Done, Failed};
use crate::components::head::{Answer, Head};
use crate::components::load::load;
use crate::components::{Refresh, failure};
use crate::text::{Text, check, routing, setting as w, system as s, translator};

/// The page.
#[component]
pub(crate) fn SettingsPage() -> impl IntoView {
    let t = translator();
    let refresh = Refresh::get();
    let put = ServerAction::<api::setting::Put>::new();
    let reset = ServerAction::<api::setting::Reset>::new();
    let (put_failed, reset_failed) = (failure(put), failure(reset));
    let list = Resource::new(move || refresh.0.get(), |_| api::setting::list());
    view! {
        <Head title=t(s::SETTINGS)/>
        <div class="page narrow-page">
            <Done/>
            <Failed error=put_failed/>
            <Failed error=reset_failed/>
            {load(list, move |settings: Vec<SettingView>| {
                let changed = settings.iter().filter(|setting| setting.updated_at.is_some()).count();
                let head = if changed == 0 { t(s::SETTINGS_HEAD_DEFAULT).to_owned() } else { format!("{changed} {}", t(s::SETTINGS_HEAD_CHANGED)) };
                let mut group = String::new();
                let rows: Vec<(Option<String>, SettingView)> = settings
                    .into_iter()
                    .map(|setting| {
                        let prefix = group_of(&setting.name).to_owned();
                        let title = (prefix != group).then(|| {
                            group_words(&prefix).map_or_else(|| prefix.clone(), |text| t(text).to_owned())
                        });
                        group = prefix;
                        (title, setting)
                    })
                    .collect();
                view! {
                    <Answer mood="calm" text=head><span class="faint">{t(s::SETTINGS_TEXT)}</span></Answer>
                    // Keyed by value: a changed setting gets a fresh field, whatever had been typed into the old one.
                    <For
                        each=move || rows.clone()
                        key=|(_, setting)| (setting.name.clone(), setting.value.clone(), setting.updated_at)
                        let:row
                    >
                        {row.0.map(|title| view! { <h2 class="group-title">{title}</h2> })}
                        <Setting setting=row.1 put reset error=put_failed back="/settings"/>
                    </For>
                }
            })}
        </div>
    }
}

/// The group of a setting: what stands before the point, or before the first underscore of the older names.
fn group_of(name: &str) -> &str {
    let group = name.split('.').next().unwrap_or_default();
    if group.starts_with("account_") { "account" } else { group }
}

fn group_words(prefix: &str) -> Option<Text> {
    Some(match prefix {
        "pool" => s::G_POOL,
        "routing" => routing::G_ROUTING,
        "account" => check::G_ACCOUNT,
        "affinity" => routing::G_AFFINITY,
        "rectify" => routing::G_RECTIFY,
        "billing" => w::G_BILLING,
        "limits" => w::G_LIMITS,
        "prices" => w::G_PRICES,
        "session" => s::G_SESSION,
        "retention" => s::G_RETENTION,
        "log" => s::G_LOG,
        "journal" => s::G_JOURNAL,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use types::setting::SETTINGS;

    use super::*;

    #[test]
    fn every_group_of_settings_has_words() {
        for (name, _) in SETTINGS {
            let group = group_of(name);
            assert!(group_words(group).is_some(), "{name}");
        }
    }
}
