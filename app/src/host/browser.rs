//! The browser's half of `host`: dialogs, clipboard, clock, event stream.
//!
//! It holds no permission: server functions' bodies do not exist here.

mod talk;

use std::cell::RefCell;
use std::rc::Rc;

use leptos::html::{Dialog, Input};
use leptos::prelude::*;
use types::request::LiveEvent;
use wasm_bindgen::prelude::*;

use super::Facts;

pub(crate) use talk::{Talk, talk};

/// Sets a status; only a server can.
pub(crate) fn set_status(_: u16) {}

/// Whether there is a browser bundle; this code is in it.
pub(crate) fn has_bundle() -> bool {
    true
}

/// Reads what the server wrote into `<html data-facts>`.
pub(crate) fn facts() -> Facts {
    document()
        .document_element()
        .and_then(|html| html.get_attribute("data-facts"))
        .and_then(|json| serde_json::from_str(&json).ok())
        .unwrap_or_default()
}

/// Milliseconds since the epoch.
#[expect(clippy::cast_possible_truncation, reason = "a date in milliseconds is far below 2^53")]
#[expect(clippy::unnecessary_wraps, reason = "a server cannot tell the reader's time and says so")]
#[expect(clippy::as_conversions, reason = "there is no other way from f64 to i64")]
pub(crate) fn now_ms() -> Option<i64> {
    Some(js_sys::Date::now() as i64)
}

/// Opens a dialog above the page.
pub(crate) fn open_dialog(node: NodeRef<Dialog>) {
    if let Some(dialog) = node.get_untracked() {
        if dialog.open() {
            dialog.close();
        }
        _ = dialog.show_modal();
    }
}

/// Closes a dialog.
pub(crate) fn close_dialog(node: NodeRef<Dialog>) {
    if let Some(dialog) = node.get_untracked() {
        dialog.close();
    }
}

/// Copies text to the clipboard; a browser refuses it outside a secure context, which is no fault of ours.
pub(crate) fn copy(text: &str) {
    _ = window().navigator().clipboard().write_text(text);
}

/// Whether the tab is hidden.
pub(crate) fn is_hidden() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Hidden
}

/// An open event stream; dropping it closes the connection.
pub(crate) struct Live {
    source: web_sys::EventSource,
    _on_event: Closure<dyn FnMut(web_sys::MessageEvent)>,
    _on_open: Closure<dyn FnMut()>,
    _on_error: Closure<dyn FnMut()>,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.source.close();
    }
}

/// Opens the live tail; `connected` hears whether the connection stands. The browser reconnects by itself.
pub(crate) fn live(
    on_event: impl Fn(LiveEvent) + 'static,
    connected: impl Fn(bool) + 'static,
) -> Option<Live> {
    let source = web_sys::EventSource::new("/live/requests").ok()?;
    let on_event = Closure::<dyn FnMut(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
        if let Some(event) = event.data().as_string().and_then(|json| serde_json::from_str(&json).ok()) {
            on_event(event);
        }
    });
    let connected = Rc::new(connected);
    let on_open = Closure::<dyn FnMut()>::new({
        let connected = connected.clone();
        move || connected(true)
    });
    let on_error = Closure::<dyn FnMut()>::new(move || connected(false));
    source.add_event_listener_with_callback("request", on_event.as_ref().unchecked_ref()).ok()?;
    source.set_onopen(Some(on_open.as_ref().unchecked_ref()));
    source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    Some(Live { source, _on_event: on_event, _on_open: on_open, _on_error: on_error })
}

/// Calls back whenever the tab is shown or hidden, for as long as the owner lives.
pub(crate) fn on_visibility(call: impl Fn() + 'static) {
    let handle = window_event_listener_untyped("visibilitychange", move |_| call());
    on_cleanup(move || handle.remove());
}

/// Calls back on Ctrl K and ⌘ K.
pub(crate) fn on_palette_key(call: impl Fn() + 'static) {
    let handle = window_event_listener(leptos::ev::keydown, move |event| {
        if (event.ctrl_key() || event.meta_key()) && event.key().eq_ignore_ascii_case("k") {
            event.prevent_default();
            call();
        }
    });
    on_cleanup(move || handle.remove());
}

/// Name and text of a file.
type Chosen = (String, String);

/// Reads the file that was chosen in a field; `done` gets its name and its text.
pub(crate) fn read_file(event: &leptos::ev::Event, done: impl FnOnce(String, String) + 'static) {
    read_files(event, f64::MAX, move |files| {
        if let Some((name, text)) = files.unwrap_or_default().into_iter().next() {
            done(name, text);
        }
    });
}

/// Reads the files that were chosen in a field; `done` gets their names and texts, or nothing if they hold more than
/// `most` bytes together.
pub(crate) fn read_files(
    event: &leptos::ev::Event,
    most: f64,
    done: impl FnOnce(Option<Vec<Chosen>>) + 'static,
) {
    let input: web_sys::HtmlInputElement = event_target(event);
    let Some(list) = input.files() else { return };
    let files: Vec<web_sys::File> = (0..list.length()).filter_map(|at| list.get(at)).collect();
    if files.iter().map(|file| file.size()).sum::<f64>() > most {
        done(None);
        return;
    }
    let read: Rc<RefCell<Vec<Option<Chosen>>>> = Rc::new(RefCell::new(vec![None; files.len()]));
    let done = Rc::new(RefCell::new(Some(done)));
    for (at, file) in files.iter().enumerate() {
        let Ok(reader) = web_sys::FileReader::new() else { return };
        let (read, done, name) = (Rc::clone(&read), Rc::clone(&done), file.name());
        let loaded = Closure::once_into_js({
            let reader = reader.clone();
            move || {
                let Some(text) = reader.result().ok().and_then(|text| text.as_string()) else { return };
                if let Some(place) = read.borrow_mut().get_mut(at) {
                    *place = Some((name, text));
                }
                let whole: Option<Vec<_>> = read.borrow().iter().cloned().collect();
                let Some(files) = whole else { return };
                let hear = done.borrow_mut().take();
                if let Some(done) = hear {
                    done(Some(files));
                }
            }
        });
        reader.set_onload(Some(loaded.unchecked_ref()));
        // An archive is no text: it travels as base64 behind `data:`.
        let packed =
            [".zip", ".tar", ".gz", ".tgz"].iter().any(|end| file.name().to_lowercase().ends_with(end));
        _ = if packed { reader.read_as_data_url(file) } else { reader.read_as_text(file) };
    }
}

/// Moves the keyboard focus.
pub(crate) fn focus(node: NodeRef<Input>) {
    thread_local! {
        // Keeps the callback alive until the next frame has run it.
        static PENDING: RefCell<Option<Closure<dyn FnMut()>>> = const { RefCell::new(None) };
    }
    let closure = Closure::<dyn FnMut()>::new(move || {
        if let Some(input) = node.get_untracked() {
            _ = input.focus();
        }
    });
    _ = window().request_animation_frame(closure.as_ref().unchecked_ref());
    PENDING.with(|pending| *pending.borrow_mut() = Some(closure));
}
