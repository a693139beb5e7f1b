//! What a browser asks for: language, colors, single keys.
//!
//! Kept in cookies, for no person.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE};

use crate::console::words::Words;
use crate::domain::text::Language;

/// Cookie of the language.
pub const LANGUAGE_COOKIE: &str = "orderlens_language";
/// Cookie of the colors.
pub const THEME_COOKIE: &str = "orderlens_theme";
/// Cookie of the single keys.
pub const KEYS_COOKIE: &str = "orderlens_keys";

/// What a browser asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// Words of the language.
    pub words: Words,
    /// Colors.
    pub theme: Theme,
    /// Whether single keys act (WCAG 2.1.4 wants them to be switched off at will).
    pub keys: Keys,
}

/// Colors of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// Whether single keys act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// They do.
    On,
    /// They do not.
    Off,
}

impl Theme {
    /// The name in cookies and attributes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Preferences {
    /// Reads cookies, and the languages that the browser would like.
    pub fn of(headers: &HeaderMap) -> Self {
        let asked = cookie(headers, LANGUAGE_COOKIE);
        let language = match asked.as_deref() {
            Some("zh-CN") => Language::Chinese,
            Some("en") => Language::English,
            Some(_) | None => accepted(headers),
        };
        let theme = match cookie(headers, THEME_COOKIE).as_deref() {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            Some(_) | None => Theme::System,
        };
        let keys = match cookie(headers, KEYS_COOKIE).as_deref() {
            Some("off") => Keys::Off,
            Some(_) | None => Keys::On,
        };
        Self { words: Words { language }, theme, keys }
    }
}

/// The value of a cookie.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|it| it.split_once('='));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
}

/// Chinese when it stands before English among the languages that a browser accepts.
fn accepted(headers: &HeaderMap) -> Language {
    let line = headers.get(ACCEPT_LANGUAGE).and_then(|line| line.to_str().ok()).unwrap_or_default();
    for tag in line.split(',').map(|tag| tag.trim().to_ascii_lowercase()) {
        if tag.starts_with("zh") {
            return Language::Chinese;
        }
        if tag.starts_with("en") {
            return Language::English;
        }
    }
    Language::English
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &'static str)]) -> Preferences {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        Preferences::of(&headers)
    }

    #[test]
    fn a_choice_goes_before_what_the_browser_would_like() {
        let zh = ("accept-language", "de, zh-CN;q=0.9, en;q=0.8");
        assert_eq!(of(&[zh]).words.language, Language::Chinese);
        let chosen = of(&[zh, ("cookie", "a=b; orderlens_language=en; orderlens_keys=off")]);
        assert_eq!((chosen.words.language, chosen.keys), (Language::English, Keys::Off));
        assert_eq!(of(&[("accept-language", "fr")]).words.language, Language::English);
        assert_eq!(of(&[("cookie", "orderlens_theme=dark")]).theme, Theme::Dark);
    }
}
