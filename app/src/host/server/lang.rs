//! Which language a visitor reads, from cookie and header.

use crate::text::Lang;

impl Lang {
    /// Reads a language tag: `zh`, `zh-CN`, `en-GB`.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        match tag.trim().split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::En),
            "zh" => Some(Self::Zh),
            _ => None,
        }
    }

    /// The first known language of an `Accept-Language` header; its order is by preference in every browser.
    pub(crate) fn from_accept(header: &str) -> Option<Self> {
        header.split(',').find_map(|item| Self::from_tag(item.split(';').next().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_follows_the_browser() {
        assert_eq!(Lang::from_accept("zh-CN,zh;q=0.9,en;q=0.8"), Some(Lang::Zh));
        assert_eq!(Lang::from_accept("fr-FR,en-GB;q=0.5"), Some(Lang::En));
        assert_eq!(Lang::from_accept("fr"), None);
    }
}
