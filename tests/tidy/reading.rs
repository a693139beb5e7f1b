//! How tidy reads: files of the repository, fenced blocks, code without prose.
//!
//! Paths are relative: cargo runs a test in the folder of its package.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Larger files are data, not prose or code.
const READ_BYTES_MAX: u64 = 1 << 20;
pub(crate) const PLACES: [&str; 10] =
    [".cargo", ".ci", ".config", "benches", "config", "docs", "models", "proto", "src", "tests"];

/// A text file of the repository.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// One line of a fenced block: `name : word word`.
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) words: Vec<String>,
}

/// Code alone: comments, strings and characters become blanks, lines stay.
pub(crate) fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let n_skipped = literal_len(rest, code.chars().next_back());
        let (skipped, after) = rest.split_at(n_skipped.max(c.len_utf8()));
        if n_skipped == 0 {
            code.push(c);
        } else {
            code.extend(skipped.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        rest = after;
    }
    code
}

/// Bytes of the comment, string or character literal that `rest` opens with; 0 if none.
fn literal_len(rest: &str, before: Option<char>) -> usize {
    let to = |from: usize, end: &str| {
        rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len())
    };
    let quoted = |mark: char| {
        let mut is_escaped = false;
        let end = rest[1..].find(|c| {
            let is_end = c == mark && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            is_end
        });
        end.map_or(rest.len(), |at| at + 2)
    };
    let raw = rest.strip_prefix('r').map_or("", |tail| tail.trim_start_matches('#'));
    let in_word = before.is_some_and(|c| c.is_alphanumeric() && c != 'b');
    let mut next = rest.chars().skip(1);
    match (rest.as_bytes().first(), next.next(), next.next()) {
        (Some(b'/'), Some('/'), _) => rest.find('\n').unwrap_or(rest.len()),
        (Some(b'/'), Some('*'), _) => to(2, "*/"),
        (Some(b'r'), ..) if raw.starts_with('"') && !in_word => {
            let n_hashes = rest.len() - raw.len() - 1;
            to(n_hashes + 2, &format!("\"{}", "#".repeat(n_hashes)))
        }
        (Some(b'"'), ..) => quoted('"'),
        (Some(b'\''), Some('\\'), _) | (Some(b'\''), _, Some('\'')) => quoted('\''),
        _ => 0,
    }
}

/// Names that a trait of another crate asks for, whatever our words are.
const GIVEN_NAMES: [&str; 2] = ["ConnectInfo", "connect_info"];

/// The identifiers that directly follow `mark`, where `mark` begins a word.
pub(crate) fn names_after(code: &str, mark: &str) -> BTreeSet<String> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(mark)
        .filter(|(at, _)| !code[..*at].ends_with(in_word))
        .map(|(at, _)| code[at + mark.len()..].chars().take_while(|c| in_word(*c)).collect())
        .filter(|name: &String| !GIVEN_NAMES.contains(&&**name))
        .collect()
}

/// The lines of the fenced block of this kind; a line without `:` is all words.
pub(crate) fn rules(document: &str, kind: &str) -> Vec<Rule> {
    let fence = format!("```{kind}");
    let lines = document.lines().skip_while(|line| *line != fence).skip(1);
    let block = lines.take_while(|line| !line.starts_with("```"));
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    block
        .map(|line| line.split_once(':').unwrap_or(("", line)))
        .map(|(name, rest)| Rule { name: name.trim().to_owned(), words: words(rest) })
        .collect()
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(path).expect(path)
}

/// The files with this extension.
pub(crate) fn files_of(extension: &str) -> Vec<File> {
    let is_kind =
        |file: &File| Path::new(&file.path).extension().is_some_and(|kind| kind == extension);
    files().into_iter().filter(is_kind).collect()
}

/// Every text file of the repository but the training data, by path.
pub(crate) fn files() -> Vec<File> {
    let mut found = Vec::new();
    for place in PLACES {
        walk(Path::new(place), &mut found);
    }
    for name in ["Cargo.toml", "README.md", "README.zh-CN.md"] {
        found.push(File { path: name.to_owned(), text: read(name) });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(folder: &Path, found: &mut Vec<File>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("entry of a folder").path();
        let n_bytes = path.metadata().map_or(0, |metadata| metadata.len());
        if path.is_dir() {
            walk(&path, found);
        } else if n_bytes <= READ_BYTES_MAX
            && let Ok(text) = fs::read_to_string(&path)
        {
            let name = path.to_string_lossy();
            found.push(File { path: name.into_owned(), text });
        }
    }
}
