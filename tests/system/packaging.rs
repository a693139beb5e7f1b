//! What the files in `config/ops/` name exists in the service.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::server::orderlens;

const FILES: [&str; 4] = ["Containerfile", "README.md", "kubernetes.yaml", "orderlens.service"];
/// Variables that crates of the service read.
const OF_CRATES: [&str; 2] = ["RUST_LOG", "NO_COLOR"];

fn packaging() -> impl Iterator<Item = (&'static str, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/ops");
    FILES.into_iter().map(move |name| (name, fs::read_to_string(folder.join(name)).expect(name)))
}

fn service_file() -> toml::Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/orderlens.toml");
    fs::read_to_string(path).expect("the service file").parse().expect("TOML")
}

/// Every word of these characters.
fn words(text: &str, is_part: impl Fn(char) -> bool) -> BTreeSet<&str> {
    text.split(|c: char| !is_part(c)).filter(|word| !word.is_empty()).collect()
}

/// The values of all keys that name an environment variable.
fn variables(table: &toml::Table) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) => found.extend(variables(inner)),
            toml::Value::String(name) if key.ends_with("_variable") => {
                found.insert(name.clone());
            }
            toml::Value::String(_)
            | toml::Value::Integer(_)
            | toml::Value::Float(_)
            | toml::Value::Boolean(_)
            | toml::Value::Datetime(_)
            | toml::Value::Array(_) => {}
        }
    }
    found
}

#[test]
fn every_environment_variable_of_the_packaging_is_read() {
    let known = variables(&service_file());
    assert!(2 <= known.len(), "{known:?}");
    let mut n_found = 0;
    for (file, text) in packaging() {
        let is_part = |c: char| c.is_ascii_uppercase() || c == '_';
        for word in words(&text, is_part).into_iter().filter(|it| it.starts_with("ORDERLENS_")) {
            let name = word.strip_suffix("_FILE").unwrap_or(word);
            assert!(known.contains(name), "{file} names {word}, which nothing reads");
            n_found += 1;
        }
    }
    assert!(6 <= n_found, "{n_found}");
    let table = packaging().find(|(name, _)| *name == "README.md").expect("it is listed").1;
    for name in known.iter().map(String::as_str).chain(OF_CRATES) {
        assert!(table.contains(&format!("| `{name}` |")), "the table lacks {name}");
    }
}

#[test]
fn every_flag_and_command_of_the_packaging_is_taken() {
    let help = |command: &str| {
        let output = orderlens().args([command, "--help"]).output().expect("the built binary");
        assert!(output.status.success(), "there is no command {command}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let known = format!("{} {}", help("serve"), help("probe"));
    let is_part = |c: char| c.is_ascii_lowercase() || c == '-';
    let known = words(&known, is_part);
    // Flags of the tools that install, in comments.
    let foreign = ["--from-file", "--from-literal", "--now", "--read-only", "--secret"];
    // Instructions of the container file.
    let instructions = ["--bin", "--chown", "--from", "--interval", "--locked", "--release"];
    let instructions = [&instructions[..], &["--start-period", "--timeout"]].concat();
    let mut n_found = 0;
    for (file, text) in packaging() {
        let flags = words(&text, is_part).into_iter().filter(|it| it.starts_with("--"));
        for flag in flags.filter(|it| 2 < it.len() && !it.starts_with("---")) {
            let is_foreign = foreign.contains(&flag)
                || (file == "Containerfile" && instructions.contains(&flag));
            assert!(is_foreign || known.contains(flag), "{file} gives {flag}, which is not taken");
            n_found += 1;
        }
    }
    assert!(10 <= n_found, "{n_found}");
}

#[test]
fn every_port_and_setting_of_the_packaging_is_one_of_the_service() {
    let service = service_file();
    let port = |value: &toml::Value| {
        value.as_str().and_then(|address| address.rsplit_once(':')).map(|it| it.1.to_owned())
    };
    let console = service["console"].as_table().expect("a section");
    let ports: BTreeSet<String> =
        [&service["listen"], &console["listen"]].into_iter().filter_map(port).collect();
    assert_eq!(ports.len(), 2, "{ports:?}");
    for (file, text) in packaging() {
        let numbers = words(&text, |c| c.is_ascii_digit());
        for number in numbers.into_iter().filter(|it| it.len() == 5 && it.starts_with("50")) {
            assert!(ports.contains(number), "{file} names port {number}");
        }
    }
    let readme = packaging().find(|(name, _)| *name == "README.md").expect("it is listed").1;
    let keys = readme.split('`').skip(1).step_by(2).filter(|it| {
        let sections = ["identity.", "records.", "replica.", "console."];
        sections.iter().any(|section| it.starts_with(section)) && !it.ends_with(".sqlite")
    });
    let mut n_found = 0;
    for key in keys {
        let (section, name) = key.split_once('.').expect("a dotted key");
        let is_there = service.get(section).is_some_and(|it| it.get(name).is_some());
        assert!(is_there, "there is no setting {key}");
        n_found += 1;
    }
    assert!(6 <= n_found, "{n_found}");
}

#[test]
fn a_probe_ends_with_one_where_nobody_serves() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = nobody.local_addr().expect("an address");
    let url = format!("http://{address}");
    // Somebody listens and says nothing; then nobody listens.
    for nobody in [Some(nobody), None] {
        let arguments = ["probe", "--server", &url, "--timeout-ms", "300"];
        let output = orderlens().args(arguments).output().expect("the built binary starts");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        drop(nobody);
    }
}
