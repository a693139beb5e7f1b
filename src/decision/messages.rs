//! The message catalogs: every sentence of an explanation, in two languages.
//!
//! Both files have the same keys and variables (tested). A key that is missing
//! would show itself as the key.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::domain::text::Text;

const ENGLISH: &str = include_str!("messages/en.toml");
const CHINESE: &str = include_str!("messages/zh-CN.toml");

/// Section, then key, then template.
type Catalog = BTreeMap<String, BTreeMap<String, String>>;

static CATALOGS: LazyLock<(Catalog, Catalog)> = LazyLock::new(|| (read(ENGLISH), read(CHINESE)));

/// The variables of a message: name and what to put there in each language.
pub type Variables<'a> = [(&'a str, &'a Text)];

/// The message under `section.key` with its variables filled in.
pub fn message(section: &str, key: &str, variables: &Variables<'_>) -> Text {
    let (english, chinese) = &*CATALOGS;
    let of = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, it)| *it);
    Text::new(
        filled(template(english, section, key), |name| Some(of(name)?.en.as_str())),
        filled(template(chinese, section, key), |name| Some(of(name)?.zh.as_str())),
    )
}

/// A template with every `{name}` that has a value replaced by it.
fn filled<'t>(template: &'t str, value: impl Fn(&'t str) -> Option<&'t str>) -> String {
    let mut text = String::with_capacity(2 * template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let place = after.split_once('}').and_then(|(name, after)| Some((value(name)?, after)));
        if let Some((value, after)) = place {
            text.push_str(value);
            rest = after;
        } else {
            text.push('{');
            rest = after;
        }
    }
    text + rest
}

/// True when both catalogs have this message.
pub fn has(section: &str, key: &str) -> bool {
    let (english, chinese) = &*CATALOGS;
    [english, chinese]
        .iter()
        .all(|catalog| catalog.get(section).is_some_and(|messages| messages.contains_key(key)))
}

fn template<'a>(catalog: &'a Catalog, section: &str, key: &'a str) -> &'a str {
    catalog.get(section).and_then(|messages| messages.get(key)).map_or(key, String::as_str)
}

/// The shipped files are read by a test, so the empty catalog never happens.
fn read(toml: &str) -> Catalog {
    toml::from_str(toml).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(template: &str) -> Vec<&str> {
        let mut names: Vec<&str> =
            template.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn both_languages_have_the_same_messages_with_the_same_variables() {
        let shape = |catalog: &Catalog| -> Vec<String> {
            let mut lines = Vec::new();
            for (section, messages) in catalog {
                for (key, template) in messages {
                    lines.push(format!("{section}.{key} {:?}", variables(template)));
                }
            }
            lines
        };
        let (english, chinese) = &*CATALOGS;
        assert!(!english.is_empty());
        assert_eq!(shape(english), shape(chinese));
    }
}
