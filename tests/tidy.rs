//! Tidy: the laws of this code base that no compiler checks.
//!
//! Each law is a function from text to faults. One test runs it over the
//! repository, and `every_law_catches_a_planted_fault` shows that it can fail.
//! The layers and owners are read from `docs/architecture.md`, the words never
//! used in a name from `docs/glossary.md`: the documents are the settings.
#![expect(clippy::expect_used, reason = "a file that cannot be read fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[path = "tidy/reading.rs"]
mod reading;

use reading::{File, PLACES, Rule, code_of, files, files_of, names_after, read, rules};

const FILE_LINES_MAX: usize = 400;
const FN_LINES_MAX: usize = 70;
const HEADER_CHARS_MAX: usize = 80;
/// The one file that may hold unsafe code.
const KERNEL: &str = "src/model/kernel.rs";

#[test]
fn every_folder_imports_only_folders_below_it() {
    let rules = rules(&read("docs/architecture.md"), "layers");
    let mut faults = upward_edges(&rules);
    faults.extend(files_of("rs").iter().flat_map(|file| forbidden_imports(file, &rules)));
    check(&faults);
}

#[test]
fn layers_block_names_exactly_the_folders_on_disk() {
    let on_disk = fs::read_dir("src")
        .expect("src/ can be listed")
        .map(|entry| entry.expect("entry of src/").path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect::<BTreeSet<_>>();
    let rules = rules(&read("docs/architecture.md"), "layers");
    assert_eq!(on_disk, rules.into_iter().map(|rule| rule.name).collect::<BTreeSet<_>>());
}

#[test]
fn every_owned_crate_stays_in_its_folders() {
    let doc = read("docs/architecture.md");
    let (folders, owners) = (rules(&doc, "layers"), rules(&doc, "owners"));
    let mut faults = unknown_owners(&owners, &folders, &read("Cargo.toml"));
    faults.extend(files_of("rs").iter().flat_map(|file| strays(file, &owners)));
    check(&faults);
}

#[test]
fn every_file_is_short_and_says_what_it_is() {
    check(&over(&files_of("rs"), shape_faults));
}

#[test]
fn every_function_fits_on_a_screen() {
    check(&over(&files_of("rs"), long_functions));
}

#[test]
fn only_the_kernel_is_unsafe_and_says_why_it_may_be() {
    check(&over(&files_of("rs"), unsafe_faults));
}

#[test]
fn no_import_hides_where_a_name_comes_from() {
    check(&over(&files_of("rs"), hidden_imports));
}

#[test]
fn no_name_uses_a_word_the_glossary_bans() {
    let banned = rules(&read("docs/glossary.md"), "never");
    let words = banned.into_iter().flat_map(|rule| rule.words).collect::<BTreeSet<_>>();
    assert!(!words.is_empty(), "docs/glossary.md has no `never` block");
    check(&over(&files_of("rs"), |file| banned_names(file, &words)));
}

#[test]
fn no_source_file_names_a_mapped_source() {
    let files = files();
    let names = files
        .iter()
        .filter_map(|file| file.path.strip_prefix("config/mappings/")?.strip_suffix(".toml"))
        .collect::<Vec<_>>();
    check(&over(&files_of("rs"), |file| mapped_source_names(file, &names)));
}

#[test]
fn every_proto_element_is_commented() {
    check(&over(&files_of("proto"), bare_proto_lines));
}

#[test]
fn every_document_has_one_title() {
    check(&over(&files_of("md"), title_faults));
}

#[test]
fn every_link_and_path_of_a_document_leads_somewhere() {
    let exists = |target: &str| Path::new(target).exists();
    let mut faults = over(&files_of("md"), |file| dead_links(file, exists));
    faults.extend(over(&files_of("md"), |file| dead_paths(file, exists)));
    check(&faults);
}

#[test]
fn no_committed_file_names_a_place_outside_the_repository() {
    check(&over(&files(), outside_paths));
}

#[test]
fn ci_runs_the_test_command_of_both_readmes() {
    let ci = read(".ci/run");
    for readme in ["README.md", "README.zh-CN.md"] {
        let text = read(readme);
        let command = text.lines().find(|line| line.starts_with("cargo test"));
        let command = command.unwrap_or_else(|| panic!("{readme} names no test command"));
        assert!(ci.contains(command), "{readme} says `{command}`, .ci/run does not run it");
    }
}

#[test]
fn every_law_catches_a_planted_fault() {
    let layers = rules("```layers\ntop : mid low\nmid : low\nlow :\n```", "layers");
    let plant = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let low = |text: &str| plant("src/low/a.rs", text);
    let caught = |faults: Vec<String>| assert_eq!(faults.len(), 1, "{faults:?}");

    caught(upward_edges(&rules("```layers\na : b\nb : a\n```", "layers")));
    caught(forbidden_imports(&low("use crate::mid::X;"), &layers));
    caught(forbidden_imports(&low("use crate::nowhere::X;"), &layers));
    caught(forbidden_imports(&plant("src/main.rs", "use orderlens::low::X;"), &layers));
    let owners = rules("```owners\nsql : low\n```", "owners");
    caught(strays(&plant("src/mid/a.rs", "fn f() { sql::open(); }"), &owners));
    caught(strays(&plant("src/main.rs", "fn f() { sql::open(); }"), &owners));
    caught(unknown_owners(&owners, &layers, "[dependencies]\n"));
    caught(unknown_owners(&rules("```owners\nsql : up\n```", "owners"), &layers, "sql = \"1\"\n"));
    caught(shape_faults(&low("use std::fmt;\n")));
    caught(shape_faults(&low(&format!("//! {}\n", "x".repeat(HEADER_CHARS_MAX)))));
    caught(shape_faults(&low(&format!("//! Long.\n{}", "\n".repeat(FILE_LINES_MAX)))));
    let long = format!("fn f() {{\n{}}}\n", "g();\n".repeat(FN_LINES_MAX - 1));
    caught(long_functions(&low(&long)));
    let hidden =
        ["use super::super::X;", "use crate::{a, b};", "use crate::mid::*;", "use a::prelude::*;"];
    for line in hidden {
        caught(hidden_imports(&low(line)));
    }
    let banned = BTreeSet::from(["Manager".to_owned()]);
    for line in ["struct OrderManager;", "pub fn manager_of() {}", "mod order_manager;"] {
        caught(banned_names(&low(line), &banned));
    }
    caught(mapped_source_names(&low("// as in shop_2020"), &["shop_2020"]));
    for text in ["message A {", "// A.\nenum E {\n  E_UNSPECIFIED = 0;\n}", "string b = 1;"] {
        caught(bare_proto_lines(&plant("a.proto", text)));
    }
    caught(unsafe_faults(&low("// SAFETY: none.\nunsafe { f() }")));
    caught(unsafe_faults(&plant(KERNEL, "unsafe { f() }")));
    caught(title_faults(&plant("a.md", "# One\n\n# Two\n")));
    caught(title_faults(&plant("a.md", "## None\n")));
    caught(dead_links(&plant("docs/a.md", "[b](b.md#c) [d](https://d)"), |_| false));
    caught(dead_paths(&plant("a.md", "see `src/gone.rs`, `x`"), |_| false));
    caught(outside_paths(&plant("a.md", concat!("see /wo", "rk/x"))));
}

#[test]
fn no_law_objects_to_clean_code() {
    let layers = rules("```layers\nmid : low\nlow :\n```", "layers");
    let text = "//! Fine.\nuse crate::low::X;\nuse super::*;\nuse proptest::prelude::*;\n/// `crate::nowhere`\n\
                fn f<'a>(x: &'a str) -> char { let _ = \"fn { \\\" crate::top\"; '{' }\n";
    let file = File { path: "src/mid/a.rs".into(), text: text.into() };
    check(&forbidden_imports(&file, &layers));
    check(&shape_faults(&file));
    check(&hidden_imports(&file));
    let body = format!("fn f() {{\n{}}}\n", "g(r#\"}\"#);\n".repeat(FN_LINES_MAX - 2));
    check(&long_functions(&File { path: "a.rs".into(), text: body }));
    let proto = "// A.\nmessage A {\n  // B\n  // in days.\n  string b =\n      1;\n}\n";
    check(&bare_proto_lines(&File { path: "a.proto".into(), text: proto.into() }));
}

fn unsafe_faults(file: &File) -> Vec<String> {
    let code = code_of(&file.text);
    let n_unsafe: usize =
        ["unsafe {", "unsafe fn", "unsafe impl"].map(|it| code.matches(it).count()).iter().sum();
    let n_reasons = if file.path == KERNEL { file.text.matches("// SAFETY: ").count() } else { 0 };
    let fault = || fault(file, "`unsafe` outside of the kernel, or without a SAFETY comment");
    (n_reasons < n_unsafe).then(fault).into_iter().collect()
}

fn upward_edges(rules: &[Rule]) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        for word in &rule.words {
            if !rules[at + 1..].iter().any(|below| below.name == *word) {
                faults.push(format!("layers: `{}` lists `{word}`, not below it", rule.name));
            }
        }
    }
    faults
}

fn forbidden_imports(file: &File, rules: &[Rule]) -> Vec<String> {
    let Some(inside) = file.path.strip_prefix("src/") else { return Vec::new() };
    let code = code_of(&file.text);
    let Some((own, _)) = inside.split_once('/') else {
        let named = names_after(&code, "orderlens::").into_iter();
        let wrong = named.filter(|name| inside == "main.rs" && name != "cli");
        return wrong.map(|name| fault(file, &format!("main names `{name}`, not cli"))).collect();
    };
    let allowed = rules.iter().find(|rule| rule.name == own).map_or(&[][..], |rule| &rule.words);
    let named = names_after(&code, "crate::").into_iter();
    let wrong = named.filter(|name| name != own && !allowed.contains(name));
    wrong.map(|name| fault(file, &format!("`{own}` may not import `{name}`"))).collect()
}

fn unknown_owners(owners: &[Rule], folders: &[Rule], manifest: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for owner in owners {
        let key = format!("{} =", owner.name.replace('_', "-"));
        if !manifest.lines().any(|line| line.starts_with(&key)) {
            faults.push(format!("owners: `{}` is not a dependency", owner.name));
        }
        let unknown = |word: &&String| !folders.iter().any(|folder| folder.name == **word);
        faults.extend(owner.words.iter().filter(unknown).map(|word| format!("owners: `{word}`?")));
    }
    faults
}

fn strays(file: &File, owners: &[Rule]) -> Vec<String> {
    let Some(inside) = file.path.strip_prefix("src/") else { return Vec::new() };
    // The binary is the outermost line of the command line.
    let top = if inside == "main.rs" { "cli" } else { "" };
    let own = inside.split_once('/').map_or(top, |(folder, _)| folder).to_owned();
    let code = code_of(&file.text);
    let elsewhere = owners.iter().filter(|owner| !owner.words.contains(&own));
    elsewhere
        .filter(|owner| !names_after(&code, &format!("{}::", owner.name)).is_empty())
        .map(|owner| fault(file, &format!("`{}` belongs to {:?}", owner.name, owner.words)))
        .collect()
}

fn shape_faults(file: &File) -> Vec<String> {
    let first = file.text.lines().next().unwrap_or_default();
    let n_lines = file.text.lines().count();
    let n_chars = first.chars().count();
    let mut faults = Vec::new();
    if !first.starts_with("//! ") {
        faults.push(fault(file, "does not open with `//! `"));
    }
    if HEADER_CHARS_MAX < n_chars {
        faults.push(fault(file, &format!("first line has {n_chars} characters")));
    }
    if FILE_LINES_MAX < n_lines {
        faults.push(fault(file, &format!("has {n_lines} lines, {FILE_LINES_MAX} at most")));
    }
    faults
}

/// Counts from the line of `fn` to its closing brace; test modules are free.
fn long_functions(file: &File) -> Vec<String> {
    let code = code_of(&file.text);
    let code = code.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut faults = Vec::new();
    for (start, _) in code.match_indices("fn ") {
        let is_word = code[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let n_lines = fn_text(&code[start..]).lines().count();
        if !is_word && FN_LINES_MAX < n_lines {
            let line = code[..start].lines().count();
            faults.push(fault(file, &format!("line {line}: function of {n_lines} lines")));
        }
    }
    faults
}

/// From `fn` to the brace that closes its body, or nothing when it has none.
fn fn_text(code: &str) -> &str {
    let (mut depth, mut parens) = (0_u32, 0_i32);
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => parens += 1,
            ')' | ']' => parens -= 1,
            ';' if depth == 0 && parens == 0 => return "",
            '{' => depth += 1,
            '}' if depth <= 1 => return &code[..=at],
            '}' => depth -= 1,
            _ => {}
        }
    }
    ""
}

/// Globs are for `super` in tests, and for the prelude that proptest's macros live by.
fn hidden_imports(file: &File) -> Vec<String> {
    let globs = ["use super::*;", "use proptest::prelude::*;"];
    let code = code_of(&file.text);
    let is_hidden = |line: &&str| {
        let is_glob = line.contains("use ") && (line.contains("::*") || line.contains("{*"));
        line.contains("super::super")
            || line.contains("use crate::{")
            || (is_glob && !globs.contains(&line.trim()))
    };
    code.lines().filter(is_hidden).map(|line| fault(file, line.trim())).collect()
}

fn banned_names(file: &File, banned: &BTreeSet<String>) -> Vec<String> {
    let code = code_of(&file.text);
    let declared = ["struct ", "enum ", "trait ", "type ", "fn ", "mod "];
    let mut faults = Vec::new();
    for name in declared.iter().flat_map(|keyword| names_after(&code, keyword)) {
        let split = name.chars().fold(String::new(), |mut text, c| {
            if c.is_uppercase() {
                text.push('_');
            }
            text.extend(c.to_lowercase());
            text
        });
        let is_banned = |word: &&String| split.split('_').any(|part| part == word.to_lowercase());
        faults.extend(
            banned.iter().filter(is_banned).map(|word| fault(file, &format!("`{name}`: {word}"))),
        );
    }
    faults
}

fn mapped_source_names(file: &File, names: &[&str]) -> Vec<String> {
    let found = names.iter().filter(|name| file.text.contains(**name));
    found.map(|name| fault(file, &format!("names the source `{name}`"))).collect()
}

fn bare_proto_lines(file: &File) -> Vec<String> {
    let free = ["syntax", "package", "import", "option", "reserved", "}", "//"];
    let (mut above, mut is_open) = ("", false);
    let mut faults = Vec::new();
    for (at, line) in file.text.lines().map(str::trim).enumerate() {
        let is_start = !is_open && !line.is_empty() && !free.iter().any(|f| line.starts_with(f));
        if is_start && !above.starts_with("//") {
            faults.push(fault(file, &format!("line {}: no comment above `{line}`", at + 1)));
        }
        if !line.is_empty() && !line.starts_with("//") {
            let code = line.split("//").next().unwrap_or_default().trim_end();
            is_open = !code.ends_with([';', '{', '}']);
        }
        above = line;
    }
    faults
}

fn title_faults(file: &File) -> Vec<String> {
    let mut is_fenced = false;
    let mut n_titles = 0;
    for line in file.text.lines() {
        is_fenced ^= line.trim_start().starts_with("```");
        n_titles += usize::from(!is_fenced && line.starts_with("# "));
    }
    if n_titles == 1 { Vec::new() } else { vec![fault(file, &format!("{n_titles} titles"))] }
}

/// Links into the repository, from the folder of the document; fenced text has none.
fn dead_links(file: &File, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let folder = file.path.rsplit_once('/').map_or(String::new(), |(path, _)| format!("{path}/"));
    let prose = file.text.split("```").step_by(2);
    prose
        .flat_map(|text| text.split("](").skip(1))
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|link| !link.is_empty() && !link.contains("://"))
        .filter(|link| !exists(&format!("{folder}{link}")))
        .map(|link| fault(file, &format!("link to nowhere: {link}")))
        .collect()
}

/// Paths in backticks that begin with a folder of the repository.
fn dead_paths(file: &File, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let prose = file.text.split("```").step_by(2);
    prose
        .flat_map(|text| text.split('`').skip(1).step_by(2))
        .filter(|span| PLACES.iter().any(|place| span.starts_with(&format!("{place}/"))))
        .filter(|span| !span.contains(['<', '*', ' ', '…']) && !exists(span))
        .map(|span| fault(file, &format!("names `{span}`, which is not there")))
        .collect()
}

fn outside_paths(file: &File) -> Vec<String> {
    let places = [concat!("/wo", "rk/"), concat!("shared", "/data"), concat!("shared", "/ref")];
    let named = places.iter().filter(|place| file.text.contains(**place));
    named.map(|place| fault(file, &format!("names `{place}`"))).collect()
}

fn over(files: &[File], law: impl Fn(&File) -> Vec<String>) -> Vec<String> {
    files.iter().flat_map(law).collect()
}

fn check(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn fault(file: &File, text: &str) -> String {
    format!("{}: {text}", file.path)
}
