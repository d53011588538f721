//! One request of the browser to this origin, heard piece by piece.

use std::rc::Rc;

use js_sys::{Reflect, Uint8Array};
use leptos::prelude::window;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, RequestCache, RequestCredentials, RequestInit,
    Response,
};

use crate::host::Sound;
use crate::play::{Ask, Call};

/// A request under way; dropping it breaks it off.
pub(crate) struct Talk(Option<AbortController>);

impl Drop for Talk {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

/// Sends a call with a key and hears its answer to the end.
pub(crate) fn talk(call: Call, key: &str, hear: impl Fn(Sound) + 'static) -> Talk {
    let hear = Rc::new(hear);
    let Ok((request, controller)) = send(&call, key) else {
        hear(Sound::Broken);
        return Talk(None);
    };
    spawn_local(async move {
        // What breaks is told once, whatever it was.
        let end = if listen(request, &*hear).await.is_ok() { Sound::End } else { Sound::Broken };
        hear(end);
    });
    Talk(Some(controller))
}

fn send(call: &Call, key: &str) -> Result<(JsFuture, AbortController), JsValue> {
    let controller = AbortController::new()?;
    let headers = Headers::new()?;
    for (name, value) in &call.headers {
        headers.set(name, value)?;
    }
    headers.set(Ask::KEY_HEADER, key)?;
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(headers.as_ref());
    init.set_body(&JsValue::from_str(&call.body));
    // The key alone says who asks.
    init.set_credentials(RequestCredentials::Omit);
    init.set_cache(RequestCache::NoStore);
    init.set_signal(Some(&controller.signal()));
    let sent = window().fetch_with_str_and_init(&call.target, &init);
    Ok((JsFuture::from(sent), controller))
}

async fn listen(request: JsFuture, hear: &impl Fn(Sound)) -> Result<(), JsValue> {
    let response: Response = request.await?.dyn_into()?;
    let headers = response.headers();
    let header = |name: &str| headers.get(name).ok().flatten();
    hear(Sound::Head {
        status: response.status(),
        request_id: header("x-request-id").and_then(|id| id.parse().ok()),
        upstream: header("x-tollgate-upstream-dialect"),
        dropped: header("x-tollgate-dropped").unwrap_or_default(),
    });
    let Some(body) = response.body() else { return Ok(()) };
    let reader: ReadableStreamDefaultReader = body.get_reader().dyn_into()?;
    loop {
        let piece = JsFuture::from(reader.read()).await?;
        if Reflect::get(&piece, &"done".into())?.is_truthy() {
            return Ok(());
        }
        let bytes: Uint8Array = Reflect::get(&piece, &"value".into())?.dyn_into()?;
        hear(Sound::Piece(bytes.to_vec()));
    }
}
