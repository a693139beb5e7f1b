//! The message catalogs of the console: every word on a page, in two languages.
//!
//! Fluent files, one per page and language, compiled in. Both languages have the same
//! messages with the same variables, and pages name only messages that exist (tested).

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

use crate::domain::text::Language;

/// Joins the files of one language.
macro_rules! locale {
    ($language:literal) => {
        [
            include_str!(concat!("locales/", $language, "/frame.ftl")),
            include_str!(concat!("locales/", $language, "/words.ftl")),
            include_str!(concat!("locales/", $language, "/queue.ftl")),
            include_str!(concat!("locales/", $language, "/decision.ftl")),
            include_str!(concat!("locales/", $language, "/why.ftl")),
            include_str!(concat!("locales/", $language, "/ring.ftl")),
            include_str!(concat!("locales/", $language, "/graph.ftl")),
            include_str!(concat!("locales/", $language, "/cases.ftl")),
            include_str!(concat!("locales/", $language, "/lab.ftl")),
            include_str!(concat!("locales/", $language, "/experiments.ftl")),
            include_str!(concat!("locales/", $language, "/models.ftl")),
            include_str!(concat!("locales/", $language, "/reviews.ftl")),
            include_str!(concat!("locales/", $language, "/health.ftl")),
            include_str!(concat!("locales/", $language, "/sources.ftl")),
            include_str!(concat!("locales/", $language, "/admin.ftl")),
            include_str!(concat!("locales/", $language, "/keys.ftl")),
            include_str!(concat!("locales/", $language, "/help.ftl")),
        ]
    };
}

const ENGLISH: [&str; 17] = locale!("en");
const CHINESE: [&str; 17] = locale!("zh-CN");

type Bundle = FluentBundle<FluentResource>;

static BUNDLES: LazyLock<(Bundle, Bundle)> =
    LazyLock::new(|| (read("en-US", &ENGLISH), read("zh-CN", &CHINESE)));

/// The message under a key with its variables filled in; the key in `⟦⟧` when there is none.
pub fn message(language: Language, key: &str, variables: &FluentArgs<'_>) -> String {
    let bundle = match language {
        Language::English => &BUNDLES.0,
        Language::Chinese => &BUNDLES.1,
    };
    let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
        return format!("⟦{key}⟧");
    };
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(variables), &mut errors).into_owned();
    // A variable that a page forgot shows itself like a key that is missing.
    if errors.is_empty() { text } else { format!("⟦{key}: {text}⟧") }
}

/// True when both catalogs have this message.
pub fn has(key: &str) -> bool {
    BUNDLES.0.has_message(key) && BUNDLES.1.has_message(key)
}

/// The shipped files are read by a test, so faults do not happen outside of it.
fn read(language: &str, files: &[&str]) -> Bundle {
    // The language chooses plurals.
    let language: LanguageIdentifier = language.parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![language]);
    // Isolation marks would stand between a number and its unit when a page is copied.
    bundle.set_use_isolating(false);
    for file in files {
        let resource = FluentResource::try_new((*file).to_owned()).unwrap_or_else(|(it, _)| it);
        // The first message of a name stays.
        let _ = bundle.add_resource(resource);
    }
    bundle
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Variables of every message, by its key; a message that is there twice is a fault.
    fn shape(files: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
        let mut shape = BTreeMap::new();
        for file in files {
            let resource = FluentResource::try_new((*file).to_owned());
            assert!(resource.is_ok(), "{:?}", resource.err().map(|(_, errors)| errors));
            let mut key = String::new();
            for line in file.lines().filter(|line| !line.starts_with('#')) {
                if let Some((name, _)) = line.split_once(" =")
                    && !line.starts_with([' ', '['])
                {
                    name.clone_into(&mut key);
                    assert!(shape.insert(key.clone(), BTreeSet::new()).is_none(), "twice: {key}");
                }
                for rest in line.split('$').skip(1) {
                    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                    let name = rest.chars().take_while(|c| is_name(*c)).collect();
                    shape.get_mut(&key).expect("a message").insert(name);
                }
            }
        }
        shape
    }

    #[test]
    fn both_languages_have_the_same_messages_with_the_same_variables() {
        let english = shape(&ENGLISH);
        assert!(100 < english.len());
        let chinese = shape(&CHINESE);
        for (key, variables) in &english {
            assert_eq!(Some(variables), chinese.get(key), "{key}");
        }
        assert_eq!(english.keys().collect::<Vec<_>>(), chinese.keys().collect::<Vec<_>>());
    }

    /// Every quoted word behind the calls that look a message up, in templates and code.
    fn keys_used() -> BTreeSet<String> {
        let calls = [".t(\"", ".t1(\"", ".t2(\"", ".t3(\"", ".n(\""];
        let mut keys = BTreeSet::new();
        let mut folders = vec![std::path::PathBuf::from("src/console")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let is_read = path.extension().is_some_and(|it| it == "html" || it == "rs");
                if !is_read || path.ends_with("catalog.rs") {
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("text");
                for call in calls {
                    let used = text.split(call).skip(1).filter_map(|rest| rest.split('"').next());
                    keys.extend(used.map(str::to_owned));
                }
            }
        }
        keys
    }

    #[test]
    fn pages_name_only_messages_that_exist() {
        let used = keys_used();
        assert!(50 < used.len(), "{}", used.len());
        let missing: Vec<&String> = used.iter().filter(|key| !has(key)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn a_message_that_is_missing_shows_itself() {
        assert_eq!(message(Language::Chinese, "no-such", &FluentArgs::new()), "⟦no-such⟧");
    }
}
