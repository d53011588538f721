//! Model aliases: names that callers use, and the models that stand for them.

use leptos::prelude::*;
use leptos_router::location::Url;
use types::alias::AliasView;

use crate::api;
use crate::components::confirm::Confirm;
use crate::components::field::{Area, Check, Field, FormState};
use crate::components::flash::Failed;
use crate::components::head::Answer;
use crate::components::load::{Empty, load};
use crate::components::time::Time;
use crate::components::{Refresh, badge, failure, query};
use crate::form::alias::AliasForm;
use crate::form::checked;
use crate::text::{common as c, routing as w, system as s, translator};

type Put = ServerAction<api::alias::Put>;
type Remove = ServerAction<api::alias::Remove>;

/// The view.
#[component]
pub(crate) fn Aliases() -> impl IntoView {
    let refresh = Refresh::get();
    let edit = query("edit");
    let (put, remove) = (Put::new(), Remove::new());
    let (put_failed, remove_failed) = (failure(put), failure(remove));
    let form = FormState { scope: "alias", error: put_failed };
    let list = Resource::new(move || refresh.0.get(), |_| api::alias::list());
    view! {
        <Failed error=put_failed/>
        <Failed error=remove_failed/>
        {load(list, move |aliases: Vec<AliasView>| {
            let aliases = StoredValue::new(aliases);
            move || view! { <Body aliases=aliases.get_value() chosen=edit.get() form put remove/> }
        })}
    }
}

#[component]
fn Body(
    aliases: Vec<AliasView>,
    #[prop(optional_no_strip)] chosen: Option<String>,
    form: FormState,
    put: Put,
    remove: Remove,
) -> impl IntoView {
    let t = translator();
    let count = aliases.len();
    let found = chosen.as_ref().map(|name| aliases.iter().find(|alias| alias.name == *name).cloned());
    let editor = match found {
        Some(Some(alias)) => view! { <Editor present=AliasForm::of(&alias) known=true form put/> }.into_any(),
        Some(None) => view! { <Answer mood="warn" text=t(w::ALIAS_GONE)/> }.into_any(),
        None => ().into_any(),
    };
    let adding = form.error.with_untracked(Option::is_some) && chosen.is_none();
    let table = if aliases.is_empty() {
        view! { <Empty title=t(w::ALIASES_NONE) text=t(w::ALIASES_TEXT)/> }.into_any()
    } else {
        let rows = aliases.into_iter().map(|alias| view! { <Row alias remove/> }).collect_view();
        view! {
            <div class="table-scroll">
                <table class="table rows">
                    <caption class="visually-hidden">{t(w::V_ALIASES)}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t(c::NAME)}</th>
                            <th scope="col">{t(w::TARGETS)}</th>
                            <th scope="col">{t(c::STATUS)}</th>
                            <th scope="col">{t(s::CHANGES)} " (UTC)"</th>
                            <th scope="col"><span class="visually-hidden">{t(c::ACTIONS)}</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! {
        <Answer mood="calm" text=format!("{count} {}", t(w::ALIASES_HEAD))><span class="faint">{t(w::ALIASES_TEXT)}</span></Answer>
        {editor}
        <section class="panel">{table}</section>
        {chosen.is_none().then(|| view! {
            <details class="panel pad fold" open={adding || count == 0}>
                <summary>{t(w::ALIAS_NEW)}</summary>
                <Editor present=AliasForm::blank() known=false form put/>
            </details>
        })}
    }
}

#[component]
fn Row(alias: AliasView, remove: Remove) -> impl IntoView {
    let t = translator();
    let name = Url::escape(&alias.name);
    // A name may hold what an address cannot.
    let what = format!("alias-{}-{}", alias.updated_at.0, alias.version);
    let targets =
        alias.targets.iter().map(|target| view! { <li><code>{target.clone()}</code></li> }).collect_view();
    view! {
        <tr>
            <th scope="row" data-label=t(c::NAME)><a class="truncate" href=format!("/routing?view=aliases&edit={name}")><code>{alias.name.clone()}</code></a></th>
            <td data-label=t(w::TARGETS) class="wrap-cell"><ol class="targets">{targets}</ol></td>
            <td data-label=t(c::STATUS)>{badge::on_off(alias.enabled, false)}</td>
            <td data-label=t(s::CHANGES)><Time at=alias.updated_at/></td>
            <td class="actions">
                <span class="row-actions">
                    <a class="button small quiet" href=format!("/routing?view=simulate&run=1&model={name}")>{t(w::TRY_IT)}</a>
                    <a class="button small quiet" href=format!("/routing?view=aliases&edit={name}")>{t(c::EDIT)}</a>
                    <Confirm what=what trigger=c::DELETE title=w::ALIAS_DELETE_TITLE text=w::ALIAS_DELETE_TEXT subject=alias.name.clone()>
                        <ActionForm action=remove>
                            <input type="hidden" name="name" value=alias.name.clone()/>
                            <button class="button danger">{t(c::DELETE)}</button>
                        </ActionForm>
                    </Confirm>
                </span>
            </td>
        </tr>
    }
}

#[component]
fn Editor(present: AliasForm, known: bool, form: FormState, put: Put) -> impl IntoView {
    let t = translator();
    let name = present.name.clone();
    view! {
        <section class:panel=known class:narrow-form=known>
            {known.then(|| view! { <h2 class="panel-title"><code>{name.clone()}</code></h2> })}
            <ActionForm action=put attr:class="form pad">
                {if known {
                    // The name is the identity: another name is another alias.
                    view! { <input type="hidden" name="form[name]" value=name/> }.into_any()
                } else {
                    view! { <Field form label=c::NAME name="name" help=w::ALIAS_NAME_HELP required=true/> }.into_any()
                }}
                <Area form label=w::TARGETS name="targets" value=present.targets help=w::TARGETS_HELP/>
                <Check form label=c::ON name="enabled" on=checked(&present.enabled)/>
                <input type="hidden" name="form[version]" value=present.version/>
                <div class="save-bar">
                    <button class="button primary" disabled=move || put.pending().get()>{if known { t(c::SAVE) } else { t(c::CREATE) }}</button>
                    <a class="button quiet" href="/routing?view=aliases">{t(c::CANCEL)}</a>
                </div>
            </ActionForm>
        </section>
    }
}
