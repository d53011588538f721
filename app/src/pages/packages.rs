//! Package templates: the list, a new one, one with its form.

use leptos::prelude::*;
use types::PackageId;
use types::package::{PackageKind, PackageView};

use super::path_id;
use crate::api;
use crate::components::confirm::Confirm;
use crate::components::field::{Area, Choice, Field, FormState};
use crate::components::flash::{Done, Failed};
use crate::components::grant_card::amounts;
use crate::components::head::{Answer, Head};
use crate::components::load::{Empty, load, load_page};
use crate::components::{Refresh, badge, failure, query};
use crate::form::package::PackageForm;
use crate::format;
use crate::text::{common as c, package as p, provider, translator};

/// The list.
#[component]
pub(crate) fn Packages() -> impl IntoView {
    let t = translator();
    let (deleted, undo) = (query("deleted"), query("undo"));
    let refresh = Refresh::get();
    let restore = ServerAction::<api::package::Restore>::new();
    let restore_failed = failure(restore);
    let list = Resource::new(
        move || (deleted.with(Option::is_some), refresh.0.get()),
        |(deleted, _)| api::package::list(deleted),
    );
    view! {
        <Head title=t(p::PACKAGES)>
            {move || if deleted.with(Option::is_some) {
                view! { <a class="button small quiet" href="/packages">{t(c::HIDE_DELETED)}</a> }.into_any()
            } else {
                view! { <a class="button small quiet" href="/packages?deleted=1">{t(c::SHOW_DELETED)}</a> }.into_any()
            }}
            <a class="button small primary" href="/packages/new">{t(p::NEW)}</a>
        </Head>
        <div class="page">
            <Done>
                {move || undo.get().map(|id| view! {
                    <ActionForm action=restore>
                        <input type="hidden" name="id" value=id/>
                        <button class="link">{t(c::UNDO)}</button>
                    </ActionForm>
                })}
            </Done>
            <Failed error=restore_failed/>
            {load(list, move |packages| view! { <List packages restore/> })}
        </div>
    }
}

#[component]
fn List(packages: Vec<PackageView>, restore: ServerAction<api::package::Restore>) -> impl IntoView {
    let t = translator();
    if packages.is_empty() {
        return view! {
            <div class="panel">
                <Empty title=t(p::NONE) text=t(p::EMPTY_TEXT)>
                    <a class="button primary" href="/packages/new">{t(p::NEW)}</a>
                </Empty>
            </div>
        }
        .into_any();
    }
    let count = packages.iter().filter(|package| package.deleted_at.is_none()).count();
    let rows = packages.into_iter().map(|package| view! { <Row package restore/> }).collect_view();
    view! {
        <Answer mood="calm" text=format!("{count} {}", t(p::HEAD))/>
        <section class="panel table-scroll">
            <table class="table rows">
                <caption class="visually-hidden">{t(p::PACKAGES)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t(c::NAME)}</th>
                        <th scope="col">{t(p::KIND)}</th>
                        <th scope="col">{t(p::AMOUNTS)}</th>
                        <th scope="col">{t(p::DURATION)}</th>
                        <th scope="col">{t(c::MODELS)}</th>
                        <th scope="col" class="num">{t(p::GRANTED)}</th>
                        <th scope="col"><span class="visually-hidden">{t(c::ACTIONS)}</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

#[component]
fn Row(package: PackageView, restore: ServerAction<api::package::Restore>) -> impl IntoView {
    let t = translator();
    let id = package.id;
    let spec = package.spec;
    let kind = match spec.kind {
        PackageKind::Subscription => p::SUBSCRIPTION,
        PackageKind::Quota => p::QUOTA,
    };
    let lasts =
        spec.duration_days.map_or_else(|| t(p::FOR_EVER).to_owned(), |days| format!("{days} {}", t(p::DAYS)));
    let models = if spec.models.is_empty() { t(p::ALL_MODELS).to_owned() } else { spec.models.join(", ") };
    let gone = package.deleted_at.is_some();
    let action = gone.then(|| {
        view! {
            <ActionForm action=restore>
                <input type="hidden" name="id" value=id.to_string()/>
                <button class="button small">{t(c::RESTORE)}</button>
            </ActionForm>
        }
    });
    view! {
        <tr>
            <th scope="row" data-label=t(c::NAME)>
                <a class="truncate" href=format!("/packages/{id}")>{spec.name.clone()}</a>
                {gone.then(|| badge::on_off(false, true))}
            </th>
            <td data-label=t(p::KIND)>{t(kind)}</td>
            <td data-label=t(p::AMOUNTS)>{amounts(&spec)}</td>
            <td data-label=t(p::DURATION)>{lasts}</td>
            <td data-label=t(c::MODELS)><span class="truncate" title=models.clone()>{models.clone()}</span></td>
            <td class="num" data-label=t(p::GRANTED)>{format::count(package.grants)}</td>
            <td class="actions">{action}</td>
        </tr>
    }
}

/// The form of a new one.
#[component]
pub(crate) fn PackageNew() -> impl IntoView {
    let t = translator();
    let create = ServerAction::<api::package::Create>::new();
    let error = failure(create);
    let form = FormState { scope: "package", error };
    view! {
        <Head title=t(p::NEW) parent=("/packages", t(p::PACKAGES))/>
        <div class="page narrow-page">
            <Failed error/>
            <ActionForm action=create attr:class="form panel pad">
                <PackageFields form present=PackageForm::default() known=None/>
                <div class="save-bar">
                    <button class="button primary" disabled=move || create.pending().get()>{t(c::CREATE)}</button>
                    <a class="button quiet" href="/packages">{t(c::CANCEL)}</a>
                </div>
            </ActionForm>
        </div>
    }
}

/// One template.
#[component]
pub(crate) fn PackagePage() -> impl IntoView {
    let t = translator();
    let id = path_id::<PackageId>();
    let refresh = Refresh::get();
    let update = ServerAction::<api::package::Update>::new();
    let remove = ServerAction::<api::package::Remove>::new();
    let restore = ServerAction::<api::package::Restore>::new();
    let failures = [failure(update), failure(remove), failure(restore)];
    let [update_failed, ..] = failures;
    let form = FormState { scope: "package", error: update_failed };
    let package = Resource::new(move || (id.get().0, refresh.0.get()), |(id, _)| api::package::fetch(id));
    load_page(
        package,
        ("/packages", t(p::PACKAGES)),
        |package| package.spec.name.clone(),
        move |package| {
            view! {
                <Done/>
                {failures.into_iter().map(|error| view! { <Failed error/> }).collect_view()}
                <Body package form update remove restore/>
            }
        },
    )
}

#[component]
fn Body(
    package: PackageView,
    form: FormState,
    update: ServerAction<api::package::Update>,
    remove: ServerAction<api::package::Remove>,
    restore: ServerAction<api::package::Restore>,
) -> impl IntoView {
    let t = translator();
    let id = package.id;
    if package.deleted_at.is_some() {
        return view! {
            <Answer mood="warn" text=t(p::IS_DELETED)>
                <ActionForm action=restore>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <button class="button primary small">{t(c::RESTORE)}</button>
                </ActionForm>
            </Answer>
        }
        .into_any();
    }
    let present = PackageForm::of(&package);
    let name = package.spec.name.clone();
    view! {
        <Answer mood="calm" text=amounts(&package.spec)>
            <span class="faint">{t(p::GRANTED)} " " {format::count(package.grants)} " · " {t(p::NOT_COPIED)}</span>
            <a class="button small quiet" href=format!("/audit?object=package&object_id={id}")>{t(provider::ITS_AUDIT)}</a>
        </Answer>
        <ActionForm action=update attr:class="form panel pad narrow-form">
            <input type="hidden" name="id" value=id.to_string()/>
            <PackageFields form present known=Some(package.spec.kind)/>
            <div class="save-bar">
                <button class="button primary" disabled=move || update.pending().get()>{t(c::SAVE)}</button>
                <a class="button quiet" href="/packages">{t(c::CANCEL)}</a>
            </div>
        </ActionForm>
        <section class="panel pad away narrow-form">
            <p class="help">{t(p::DELETE_TEXT)}</p>
            <Confirm what="delete" trigger=c::DELETE title=p::DELETE_TITLE text=p::DELETE_TEXT subject=name>
                <ActionForm action=remove>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <button class="button danger">{t(c::DELETE)}</button>
                </ActionForm>
            </Confirm>
        </section>
    }
    .into_any()
}

#[component]
fn PackageFields(
    form: FormState,
    present: PackageForm,
    /// The kind of a known one, which is fixed.
    known: Option<PackageKind>,
) -> impl IntoView {
    let t = translator();
    let kinds = vec![
        ("subscription".to_owned(), t(p::K_SUBSCRIPTION).to_owned()),
        ("quota".to_owned(), t(p::K_QUOTA).to_owned()),
    ];
    let kind = match known {
        Some(kind) => view! { <input type="hidden" name="form[kind]" value=kind.to_string()/> }.into_any(),
        None => view! { <Choice form label=p::KIND name="kind" value=present.kind.clone() help=p::KIND_HELP options=kinds/> }.into_any(),
    };
    let periods = (known != Some(PackageKind::Quota)).then(|| view! {
        <div class="triple">
            <Field form label=p::DAILY name="daily_usd" kind="decimal" value=present.daily_usd.clone() help=p::PERIOD_HELP/>
            <Field form label=p::WEEKLY name="weekly_usd" kind="decimal" value=present.weekly_usd.clone() help=p::PERIOD_HELP/>
            <Field form label=p::MONTHLY name="monthly_usd" kind="decimal" value=present.monthly_usd.clone() help=p::PERIOD_HELP/>
        </div>
    });
    let total = (known != Some(PackageKind::Subscription)).then(|| view! {
        <Field form label=p::TOTAL name="total_usd" kind="decimal" value=present.total_usd.clone() help=p::TOTAL_HELP/>
    });
    view! {
        <Field form label=c::NAME name="name" value=present.name.clone() help=p::NAME_HELP required=true/>
        {kind}
        {periods}
        {total}
        <Field form label=p::DURATION name="duration_days" kind="number" value=present.duration_days.clone() help=p::DURATION_HELP/>
        <Area form label=c::MODELS name="models" value=present.models.clone() help=p::MODELS_HELP optional=true/>
        <input type="hidden" name="form[version]" value=present.version.clone()/>
    }
}
