//! Checks pictures inside pages: whole, unique in ids, free of style.
//!
//! For tests only; it knows as much of XML as our pictures use.

use std::collections::BTreeSet;

/// How attributes begin that hold words of people, who may write "info".
const WORDS: [&str; 6] = ["aria-", "class", "data-", "href", "id", "title"];

/// Everything that is wrong with a picture, in words.
pub(crate) fn faults(picture: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let (mut open, mut ids) = (Vec::new(), BTreeSet::new());
    let mut rest = picture;
    while let Some(at) = rest.find('<') {
        faults.extend(word_fault(&rest[..at]));
        let Some(end) = rest[at..].find('>').map(|end| at + end) else {
            faults.push(format!("no end: {}", &rest[at..]));
            break;
        };
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                faults.push(format!("`</{name}>` closes nothing"));
            }
            continue;
        }
        let inner = tag.strip_suffix('/').unwrap_or(tag);
        let (name, attributes) = inner.split_once(' ').unwrap_or((inner, ""));
        faults.extend(attribute_faults(attributes, &mut ids));
        if ["style", "script"].contains(&name) {
            faults.push(format!("`<{name}>` in a page with a strict policy"));
        }
        if inner.len() == tag.len() {
            open.push(name);
        }
    }
    faults.extend(open.iter().map(|name| format!("`<{name}>` stays open")));
    faults
}

fn attribute_faults(attributes: &str, ids: &mut BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut names = BTreeSet::new();
    let mut rest = attributes.trim_start();
    while !rest.is_empty() {
        let parts = rest.split_once("=\"").and_then(|(name, tail)| {
            let (value, tail) = tail.split_once('"')?;
            Some((name, value, tail))
        });
        let Some((name, value, tail)) = parts else {
            faults.push(format!("no attribute: {rest}"));
            break;
        };
        faults.extend(word_fault(value));
        if !WORDS.iter().any(|word| name.starts_with(word)) {
            faults.extend(number_fault(value));
        }
        if !names.insert(name) || name == "style" || name.starts_with("on") {
            faults.push(format!("`{name}` twice, or not allowed"));
        }
        if name == "id" && !ids.insert(value.to_owned()) {
            faults.push(format!("id `{value}` twice"));
        }
        rest = tail.trim_start();
    }
    faults
}

/// What is written where a calculation went wrong.
fn number_fault(value: &str) -> Option<String> {
    let wrong = ["NaN", "inf"].into_iter().find(|word| value.contains(word));
    wrong.map(|word| format!("a number is {word}"))
}

/// Text may hold no bare mark; every `&` begins one of the entities that we write.
fn word_fault(words: &str) -> Option<String> {
    let known = ["amp;", "lt;", "gt;", "quot;"];
    let is_bare = |tail: &str| !known.iter().any(|entity| tail.starts_with(entity));
    let is_wrong = words.contains('>') || words.split('&').skip(1).any(is_bare);
    is_wrong.then(|| format!("bare mark in `{words}`"))
}

#[test]
fn every_fault_is_found() {
    for broken in [
        "<svg>",
        "<svg></g>",
        "<svg><a b=\"1\" b=\"2\"/></svg>",
        "<svg><a id=\"1\"/><g id=\"1\"/></svg>",
        "<svg style=\"x\"/>",
        "<style/>",
        "<svg onclick=\"x\"/>",
        "<t>a & b</t>",
        "<svg a/>",
        "<svg x=\"NaN\"/>",
        "<path d=\"M1 -inf\"/>",
        "<svg",
    ] {
        assert_eq!(faults(broken).len(), 1, "{broken}: {:?}", faults(broken));
    }
}

#[test]
fn a_word_is_no_number() {
    let picture = "<svg><a href=\"#info\" class=\"info\"><text x=\"1\">info NaN</text></a></svg>";
    assert_eq!(faults(picture), Vec::<String>::new());
}
