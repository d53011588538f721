//! Form fields: label above, help under it, the note on what is wrong under the field.
//!
//! Values are set once, when the field is made: what a person types is never overwritten by a render.

use leptos::prelude::*;

use crate::error::AppError;
use crate::text::{Text, common as c, lang, problem, translator};

/// What the fields of one form share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FormState {
    /// Makes the fields' ids unique on the page.
    pub(crate) scope: &'static str,
    /// Why the last try failed.
    pub(crate) error: Signal<Option<AppError>>,
}

impl FormState {
    /// What was typed before a plain form post failed, else the present value.
    pub(crate) fn initial(self, name: &str, present: &str) -> String {
        let typed = self.error.with_untracked(|error| {
            // Empty fields are not echoed: where something was, absence means it was emptied.
            error
                .as_ref()
                .filter(|e| !e.typed.is_empty())
                .map(|e| e.typed.get(name).cloned().unwrap_or_default())
        });
        typed.unwrap_or_else(|| present.to_owned())
    }

    /// Whether the last try failed for this field.
    pub(crate) fn noted(self, field: &str) -> bool {
        self.error.with_untracked(|error| {
            error.as_ref().is_some_and(|error| error.problem.fields.contains_key(field))
        })
    }

    fn note(self, field: String) -> Signal<Option<String>> {
        let lang = lang();
        let error = self.error;
        Signal::derive(move || {
            error.with(|error| {
                let note = error.as_ref()?.problem.fields.get(&field)?;
                Some(problem::field_note(note, lang).into_owned())
            })
        })
    }
}

/// Label, control, help and note.
fn wrap(
    id: &str,
    label: &'static str,
    optional: bool,
    help: Option<&'static str>,
    note: Signal<Option<String>>,
    control: AnyView,
) -> AnyView {
    let t = translator();
    let (note_id, help_id) = (format!("{id}-note"), format!("{id}-help"));
    view! {
        <div class="field" class:wrong=move || note.with(Option::is_some)>
            <label for=id.to_owned()>
                {label}
                {optional.then(|| view! { <span class="optional">{t(c::OPTIONAL)}</span> })}
            </label>
            {control}
            {move || note.get().map(|note| view! { <p class="note" id=note_id.clone() role="alert">{note}</p> })}
            {help.map(|help| view! { <p class="help" id=help_id>{help}</p> })}
        </div>
    }
    .into_any()
}

/// A line of text, a number, a secret or a time.
#[component]
pub(crate) fn Field(
    form: FormState,
    label: Text,
    /// Name within `form[…]`.
    #[prop(into)]
    name: String,
    /// Name in the problem's field notes, where it differs.
    #[prop(into, optional)]
    noted_as: Option<String>,
    #[prop(into, optional)] value: String,
    #[prop(optional)] help: Option<Text>,
    #[prop(optional)] optional: bool,
    #[prop(optional)] required: bool,
    /// Type of the input; `text` unless said otherwise.
    #[prop(optional)]
    kind: Option<&'static str>,
    #[prop(into, optional)] placeholder: String,
) -> impl IntoView {
    let t = translator();
    let id = format!("{}-{name}", form.scope);
    let note = form.note(noted_as.unwrap_or_else(|| name.clone()));
    let kind = kind.unwrap_or("text");
    // Amounts are text, so that no browser rounds or rewrites them; the keyboard is that of numbers.
    let decimal = kind == "decimal";
    let described = help.map(|_| format!("{id}-help")).unwrap_or_default();
    let control = view! {
        <input
            id=id.clone()
            class="input"
            class:mono=kind == "url" || kind == "password"
            type=if decimal { "text" } else { kind }
            inputmode=decimal.then_some("decimal")
            name=format!("form[{name}]")
            value=form.initial(&name, &value)
            placeholder=placeholder
            required=required
            autocomplete=if kind == "password" { "new-password" } else { "off" }
            spellcheck="false"
            aria-describedby=described
            aria-invalid=move || note.with(Option::is_some).then_some("true")
        />
    };
    wrap(&id, t(label), optional, help.map(t), note, control.into_any())
}

/// Several lines of text.
#[component]
pub(crate) fn Area(
    form: FormState,
    label: Text,
    /// Name within `form[…]`.
    #[prop(into)]
    name: String,
    /// Name in the problem's field notes, where it differs.
    #[prop(into, optional)]
    noted_as: Option<String>,
    #[prop(into, optional)] value: String,
    #[prop(optional)] help: Option<Text>,
    #[prop(optional)] optional: bool,
    #[prop(into, optional)] placeholder: String,
) -> impl IntoView {
    let t = translator();
    let id = format!("{}-{name}", form.scope);
    let note = form.note(noted_as.unwrap_or_else(|| name.clone()));
    let described = help.map(|_| format!("{id}-help")).unwrap_or_default();
    let control = view! {
        <textarea
            id=id.clone()
            class="input mono"
            name=format!("form[{name}]")
            rows="3"
            placeholder=placeholder
            spellcheck="false"
            aria-describedby=described
            aria-invalid=move || note.with(Option::is_some).then_some("true")
        >
            {form.initial(&name, &value)}
        </textarea>
    };
    wrap(&id, t(label), optional, help.map(t), note, control.into_any())
}

/// One of some words.
#[component]
pub(crate) fn Choice(
    form: FormState,
    label: Text,
    /// Name within `form[…]`.
    #[prop(into)]
    name: String,
    #[prop(into, optional)] value: String,
    #[prop(optional)] help: Option<Text>,
    /// Name in the problem's field notes, where it differs.
    #[prop(into, optional)]
    noted_as: Option<String>,
    /// Value and words of each choice.
    options: Vec<(String, String)>,
) -> impl IntoView {
    let t = translator();
    let id = format!("{}-{name}", form.scope);
    let note = form.note(noted_as.unwrap_or_else(|| name.clone()));
    let chosen = form.initial(&name, &value);
    let control = view! {
        <select id=id.clone() class="input" name=format!("form[{name}]")>
            {options
                .into_iter()
                .map(|(value, words)| {
                    let selected = value == chosen;
                    view! { <option value=value selected=selected>{words}</option> }
                })
                .collect_view()}
        </select>
    };
    wrap(&id, t(label), false, help.map(t), note, control.into_any())
}

/// A box: on or off.
#[component]
pub(crate) fn Check(
    form: FormState,
    label: Text,
    /// Name within `form[…]`.
    #[prop(into)]
    name: String,
    #[prop(optional)] on: bool,
    #[prop(optional)] help: Option<Text>,
) -> impl IntoView {
    let t = translator();
    let id = format!("{}-{name}", form.scope);
    let checked = crate::form::checked(&form.initial(&name, if on { "on" } else { "" }));
    view! {
        <div class="field check">
            <label for=id.clone()>
                <input id=id.clone() type="checkbox" name=format!("form[{name}]") value="on" checked=checked/>
                <span>{t(label)}</span>
            </label>
            {help.map(|help| view! { <p class="help">{t(help)}</p> })}
        </div>
    }
}
