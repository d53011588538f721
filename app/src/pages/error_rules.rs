//! Error rules: the table, the form, and the built-in ones.

use leptos::prelude::*;
use types::ErrorRuleId;
use types::error_rule::{ErrorRuleSpec, ErrorRuleView};

use super::error_rule_try::Tester;
use crate::api;
use crate::components::confirm::Confirm;
use crate::components::field::{Area, Check, Choice, Field, FormState};
use crate::components::flash::Failed;
use crate::components::head::Answer;
use crate::components::load::load;
use crate::components::{Refresh, badge, failure, query, routing_words};
use crate::form::checked;
use crate::form::error_rule::ErrorRuleForm;
use crate::format;
use crate::text::sentence::sentence;
use crate::text::{common as c, lang, routing as w, rule as e, translator};

type Remove = ServerAction<api::error_rule::Remove>;

/// The view.
#[component]
pub(crate) fn ErrorRules() -> impl IntoView {
    let t = translator();
    let refresh = Refresh::get();
    let edit = query("edit");
    let create = ServerAction::<api::error_rule::Create>::new();
    let update = ServerAction::<api::error_rule::Update>::new();
    let remove = Remove::new();
    let (create_failed, update_failed, remove_failed) = (failure(create), failure(update), failure(remove));
    let new = FormState { scope: "new-rule", error: create_failed };
    let known = FormState { scope: "rule", error: update_failed };
    let adding = create_failed.with_untracked(Option::is_some);
    let list = Resource::new(move || refresh.0.get(), |_| api::error_rule::list());
    let editor = move |rules: &[ErrorRuleView]| {
        let wanted = edit.get()?;
        let rule = rules.iter().find(|rule| rule.id.is_some_and(|id| id.to_string() == wanted)).cloned();
        Some(match rule {
            None => view! { <Answer mood="warn" text=t(e::GONE)/> }.into_any(),
            Some(rule) => view! {
                <section class="panel narrow-form">
                    <h2 class="panel-title">{rule.spec.name.clone()}</h2>
                    <ActionForm action=update attr:class="form pad">
                        <input type="hidden" name="id" value=wanted/>
                        <Fields form=known present=ErrorRuleForm::of(&rule)/>
                        <div class="save-bar">
                            <button class="button primary" disabled=move || update.pending().get()>{t(c::SAVE)}</button>
                            <a class="button quiet" href="/routing?view=rules">{t(c::CANCEL)}</a>
                        </div>
                    </ActionForm>
                </section>
            }
            .into_any(),
        })
    };
    view! {
        <Failed error=create_failed/>
        <Failed error=update_failed/>
        <Failed error=remove_failed/>
        {load(list, move |rules: Vec<ErrorRuleView>| {
            let rules = StoredValue::new(rules);
            let own = rules.with_value(|rules| rules.iter().filter(|rule| rule.id.is_some()).count());
            let head = if own == 0 { t(e::HEAD_NONE).to_owned() } else { format!("{own} {}", t(e::HEAD)) };
            view! {
                <Answer mood="calm" text=head><span class="faint">{t(e::TEXT)}</span></Answer>
                {move || rules.with_value(|rules| editor(rules))}
                {(own > 0).then(|| view! {
                    <section class="panel"><Table rules=of_kind(rules, true) remove/></section>
                })}
            }
        })}
        <details class="panel pad fold" open=adding>
            <summary>{t(e::NEW)}</summary>
            <ActionForm action=create attr:class="form narrow-form">
                <Fields form=new present=ErrorRuleForm::blank()/>
                <div class="save-bar">
                    <button class="button primary" disabled=move || create.pending().get()>{t(c::CREATE)}</button>
                </div>
            </ActionForm>
        </details>
        <Tester/>
        {load(list, move |rules: Vec<ErrorRuleView>| {
            let builtin = of_kind(StoredValue::new(rules), false);
            view! {
                <details class="panel fold builtin">
                    <summary class="pad-x">{t(e::BUILTIN_HEAD)} <span class="faint">{builtin.len().to_string()}</span></summary>
                    <p class="help pad-x">{t(e::BUILTIN_TEXT)}</p>
                    <Table rules=builtin remove/>
                </details>
            }
        })}
    }
}

/// The rules that somebody made, or the built-in ones.
fn of_kind(rules: StoredValue<Vec<ErrorRuleView>>, own: bool) -> Vec<ErrorRuleView> {
    rules.with_value(|rules| rules.iter().filter(|rule| rule.id.is_some() == own).cloned().collect())
}

#[component]
fn Table(rules: Vec<ErrorRuleView>, remove: Remove) -> impl IntoView {
    let t = translator();
    let rows = rules.into_iter().map(|rule| view! { <Row rule remove/> }).collect_view();
    view! {
        <div class="table-scroll">
            <table class="table rows">
                <caption class="visually-hidden">{t(w::V_RULES)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t(c::NAME)}</th>
                        <th scope="col" class="num">{t(c::PRIORITY)}</th>
                        <th scope="col">{t(e::STATUS)}</th>
                        <th scope="col">{t(e::KIND)}</th>
                        <th scope="col">{t(e::CONTAINS)}</th>
                        <th scope="col">{t(e::CLASS)}</th>
                        <th scope="col">{t(e::COOLDOWN)}</th>
                        <th scope="col">{t(e::ANSWER_STATUS)}</th>
                        <th scope="col"><span class="visually-hidden">{t(c::ACTIONS)}</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

#[component]
fn Row(rule: ErrorRuleView, remove: Remove) -> impl IntoView {
    let t = translator();
    let ErrorRuleView { id, spec, .. } = rule;
    let ErrorRuleSpec {
        name,
        enabled,
        priority,
        status,
        kind,
        contains,
        class,
        cooldown_s,
        answer_status,
        answer_message,
    } = spec;
    // An administrator's own name for a rule is his.
    let name = if id.is_none() { sentence(lang(), &name) } else { name };
    let any = move || view! { <span class="faint">{t(e::ANY)}</span> }.into_any();
    let text = move |text: Option<String>| match text {
        Some(text) => view! { <code class="truncate" title=text.clone()>{text.clone()}</code> }.into_any(),
        None => any(),
    };
    let (meaning, follows) = routing_words::class(class);
    let dash = || "–".to_owned();
    view! {
        <tr>
            <th scope="row" data-label=t(c::NAME)><span class="truncate" title=name.clone()>{name.clone()}</span></th>
            <td data-label=t(c::PRIORITY) class="num">{id.map_or_else(dash, |_| priority.to_string())}</td>
            <td data-label=t(e::STATUS)>{text(status.map(|status| status.to_string()))}</td>
            <td data-label=t(e::KIND)>{text(kind)}</td>
            <td data-label=t(e::CONTAINS)>{text(contains)}</td>
            <td data-label=t(e::CLASS)><span title=t(follows)>{t(meaning)}</span></td>
            <td data-label=t(e::COOLDOWN)>{cooldown_s.map_or_else(dash, |s| format::period(s.into()))}</td>
            <td data-label=t(e::ANSWER_STATUS)><span title=answer_message.unwrap_or_default()>{answer_status.map_or_else(dash, |status| status.to_string())}</span></td>
            <td class="actions">{actions(id, enabled, name, remove)}</td>
        </tr>
    }
}

fn actions(id: Option<ErrorRuleId>, enabled: bool, name: String, remove: Remove) -> AnyView {
    let t = translator();
    let Some(id) = id else { return view! { <span class="faint">{t(e::BUILTIN)}</span> }.into_any() };
    view! {
        <span class="row-actions">
            {(!enabled).then(|| badge::on_off(false, false))}
            <a class="button small quiet" href=format!("/routing?view=rules&edit={id}")>{t(c::EDIT)}</a>
            <Confirm what=format!("rule-{id}") trigger=c::DELETE title=e::DELETE_TITLE text=e::DELETE_TEXT subject=name>
                <ActionForm action=remove>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <button class="button danger">{t(c::DELETE)}</button>
                </ActionForm>
            </Confirm>
        </span>
    }
    .into_any()
}

#[component]
fn Fields(form: FormState, present: ErrorRuleForm) -> impl IntoView {
    let t = translator();
    let classes = routing_words::CLASSES
        .into_iter()
        .map(|class| {
            let (name, follows) = routing_words::class(class);
            (class.to_string(), format!("{}: {}", t(name), t(follows)))
        })
        .collect::<Vec<_>>();
    view! {
        <div class="pair">
            <Field form label=c::NAME name="name" value=present.name help=e::NAME_HELP required=true/>
            <Field form label=c::PRIORITY name="priority" kind="number" value=present.priority help=e::PRIORITY_HELP placeholder="0"/>
        </div>
        <fieldset class="section">
            <legend>{t(e::WHEN)}</legend>
            <p class="help">{t(e::WHEN_HELP)}</p>
            <div class="triple">
                <Field form label=e::STATUS name="status" kind="number" value=present.status help=e::STATUS_HELP placeholder=t(e::ANY)/>
                <Field form label=e::KIND name="kind" value=present.kind help=e::KIND_HELP placeholder=t(e::ANY)/>
                <Field form label=e::CONTAINS name="contains" value=present.contains help=e::CONTAINS_HELP placeholder=t(e::ANY)/>
            </div>
        </fieldset>
        <fieldset class="section">
            <legend>{t(e::THEN)}</legend>
            <Choice form label=e::CLASS name="class" value=present.class help=e::CLASS_HELP options=classes/>
            <div class="pair">
                <Field form label=e::COOLDOWN name="cooldown_s" kind="number" value=present.cooldown_s help=e::COOLDOWN_HELP/>
                <Field form label=e::ANSWER_STATUS name="answer_status" kind="number" value=present.answer_status help=e::ANSWER_STATUS_HELP/>
            </div>
            <Area form label=e::ANSWER name="answer_message" value=present.answer_message optional=true/>
        </fieldset>
        <Check form label=c::ON name="enabled" on=checked(&present.enabled) help=e::ENABLED_HELP/>
        <input type="hidden" name="form[version]" value=present.version/>
    }
}
