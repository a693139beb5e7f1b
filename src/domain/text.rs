//! A sentence or a name in both languages that people read.

use serde::{Deserialize, Serialize};

/// English and simplified Chinese; both are always there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// English (US).
    pub en: String,
    /// Chinese (zh-CN).
    pub zh: String,
}

/// Which of the two languages to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English (US).
    #[default]
    English,
    /// Chinese (zh-CN).
    Chinese,
}

impl Text {
    /// A pair of texts.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }

    /// The text in one language.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::Chinese => &self.zh,
        }
    }
}
