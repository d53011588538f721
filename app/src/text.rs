//! Every word of the dashboard in English and Chinese.
//!
//! Both languages of a text stand side by side, by area, so that a translator sees what he translates and a
//! missing half does not compile. It formats no numbers and knows no pages.

pub(crate) mod books;
pub(crate) mod cache;
pub(crate) mod catalogue;
pub(crate) mod check;
pub(crate) mod common;
pub(crate) mod conformance;
mod holes;
pub(crate) mod import_reason;
pub(crate) mod limit;
pub(crate) mod login;
pub(crate) mod money;
pub(crate) mod oauth;
pub(crate) mod obstacle;
pub(crate) mod overview;
pub(crate) mod package;
pub(crate) mod people;
pub(crate) mod playground;
pub(crate) mod pool;
pub(crate) mod problem;
pub(crate) mod provider;
pub(crate) mod request;
pub(crate) mod routing;
pub(crate) mod routing_setting;
pub(crate) mod rule;
pub(crate) mod secrets;
pub(crate) mod sentence;
pub(crate) mod setting;
pub(crate) mod sign_in;
pub(crate) mod system;
pub(crate) mod transfer;
pub(crate) mod translation;

use leptos::prelude::use_context;
use serde::{Deserialize, Serialize};

/// The languages of the dashboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// Value of the `lang` attribute.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-CN",
        }
    }

    /// Value of the `tg_lang` cookie.
    pub(crate) fn cookie(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The other one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::En => Self::Zh,
            Self::Zh => Self::En,
        }
    }
}

/// One text in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// English.
    pub(crate) en: &'static str,
    /// Chinese.
    pub(crate) zh: &'static str,
}

impl Text {
    /// The text in a language.
    pub(crate) fn in_lang(self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Zh => self.zh,
        }
    }
}

/// The language of this page.
pub(crate) fn lang() -> Lang {
    use_context::<Lang>().unwrap_or_default()
}

/// Picks texts in the language of this page.
pub(crate) fn translator() -> impl Fn(Text) -> &'static str + Copy + Send + Sync + 'static {
    let lang = lang();
    move |text| text.in_lang(lang)
}

macro_rules! texts {
    ($($key:ident: $en:literal, $zh:literal;)+) => {
        $(pub(crate) const $key: $crate::text::Text = $crate::text::Text { en: $en, zh: $zh };)+

        #[cfg(test)]
        pub(crate) const TEXTS: &[(&str, $crate::text::Text)] = &[$((stringify!($key), $key)),+];
    };
}
use texts;

#[cfg(test)]
mod tests {
    use super::*;

    /// Names and technical terms that read the same in both languages.
    const SAME_ON_PURPOSE: &[&str] = &["PRODUCT", "P50", "P95", "PER_M"];

    #[test]
    fn every_text_is_there_in_both_languages_and_really_translated() {
        let areas = [
            books::TEXTS,
            cache::TEXTS,
            catalogue::TEXTS,
            check::TEXTS,
            common::TEXTS,
            conformance::TEXTS,
            limit::TEXTS,
            login::TEXTS,
            money::TEXTS,
            oauth::TEXTS,
            obstacle::TEXTS,
            overview::TEXTS,
            package::TEXTS,
            people::TEXTS,
            playground::TEXTS,
            pool::TEXTS,
            problem::TEXTS,
            provider::TEXTS,
            request::TEXTS,
            routing::TEXTS,
            routing_setting::TEXTS,
            rule::TEXTS,
            secrets::TEXTS,
            setting::TEXTS,
            system::TEXTS,
            transfer::TEXTS,
            translation::TEXTS,
        ];
        for (key, text) in areas.into_iter().flatten() {
            assert!(!text.en.trim().is_empty() && !text.zh.trim().is_empty(), "{key} is empty");
            // The switch to the other language names that language in its own script.
            let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(!is_chinese(text.en) || *key == "OTHER_LANGUAGE", "{key} is Chinese on the English side");
            assert!(!text.en.contains('!') && !text.zh.contains('！'), "{key} shouts");
            assert!(text.en != text.zh || SAME_ON_PURPOSE.contains(key), "{key} is not translated");
        }
    }
}
