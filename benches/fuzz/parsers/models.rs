//! Files of a model bundle: each alone, and a bundle with fitting checksums.

use std::fs;
use std::path::Path;

use orderlens::model::artifact::HeadArtifact;
use orderlens::model::background::Background;
use orderlens::model::bundle::Bundle;
use orderlens::model::counterfactual::plausibility::Plausibility;
use orderlens::model::manifest::{Manifest, schema_hash};
use orderlens::model::parts::Part;
use orderlens::model::population::Population;
use rand::Rng;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Said, Target, json_tree};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/marketplace/1");
const HEADS: [&str; 2] = ["payment_fraud", "return"];
const N_TREES: usize = 2;
const N_ROWS: usize = 16;
const LIST_MAX: usize = 12;
const N_LINKED: usize = 4;
/// Features, and cuts of each, of the bundle that is written for every input.
const N_FEATURES: usize = 8;
const N_CUTS: usize = 6;
const PARTS: [&str; 3] = ["background", "population", "plausibility"];

pub(crate) fn targets() -> Vec<Target> {
    let small = small_bundle();
    let manifest_of = |file: &Value| serde_json::from_value::<Manifest>(file.clone()).unwrap();
    let (whole_manifest, brief) = (&small["manifest.json"], brief(&small["manifest.json"]));
    let head = small[format!("heads/{}.json", HEADS[0])].clone();
    let part = |name: &str| small[format!("{name}.json")].clone();
    let (first, second) = (manifest_of(whole_manifest), manifest_of(&brief));
    let (third, [population, plausibility]) =
        (manifest_of(&brief), [PARTS[1], PARTS[2]].map(|name| self::brief(&part(name))));
    let fits = [
        fit(&serde_json::from_value::<Population>(population.clone()).unwrap(), &second),
        fit(&serde_json::from_value::<Plausibility>(plausibility.clone()).unwrap(), &third),
    ];
    assert_eq!(fits, ["", ""]);
    vec![
        alone::<Manifest>("manifest", &brief, |_| String::new()),
        alone::<HeadArtifact>("head", &head, |_| String::new()),
        alone::<Background>("background", &part(PARTS[0]), move |it| fit(it, &first)),
        alone::<Population>("population", &population, move |it| fit(it, &second)),
        alone::<Plausibility>("plausibility", &plausibility, move |it| fit(it, &third)),
        whole(&with_few_features(small)),
    ]
}

/// The same with short lists: as many mistakes can be made in it, in a tenth of the time.
fn brief(file: &Value) -> Value {
    match file {
        Value::Array(list) => list.iter().take(LIST_MAX).map(brief).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), brief(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => file.clone(),
    }
}

fn fit(part: &impl Part, manifest: &Manifest) -> String {
    part.check(manifest).map_or_else(|misfit| misfit.to_string(), |()| String::new())
}

/// One file, as JSON of its type.
fn alone<T: DeserializeOwned + Serialize>(
    name: &'static str,
    seed: &Value,
    check: impl Fn(&T) -> String + 'static,
) -> Target {
    Target {
        name,
        seeds: vec![serde_json::to_vec(seed).unwrap()],
        damage: Box::new(json_tree::damaged),
        read: Box::new(move |raw| match serde_json::from_slice::<T>(raw) {
            Ok(read) => Said::accepted(&check(&read).replace(|c: char| c.is_ascii_digit(), "")),
            Err(error) => Said::refused(&error.to_string()),
        }),
        cost: 40,
    }
}

/// All files of the shipped bundle, with two heads, few trees, few rows and few pairs.
fn small_bundle() -> Value {
    let read = |name: &str| -> Value {
        let text = fs::read(Path::new(SHIPPED).join(name)).unwrap();
        serde_json::from_slice(&text).unwrap()
    };
    let mut files = json!({});
    let mut manifest = read("manifest.json");
    let of_head = |entry: &Value| HEADS.iter().any(|id| entry["id"] == *id);
    let all = manifest["heads"].as_array().unwrap().clone();
    let mut population = read("population.json");
    let scores = population["scores"].as_array().unwrap().clone();
    let kept = all.iter().zip(&scores).filter(|(entry, _)| of_head(entry));
    let (mut entries, scores): (Vec<Value>, Vec<Value>) =
        kept.map(|(entry, score)| (entry.clone(), score.clone())).unzip();
    for entry in &mut entries {
        entry["n_trees"] = json!(N_TREES);
        let file = entry["file"].as_str().unwrap().to_owned();
        let mut head = read(&file);
        head["ensemble"]["trees"].as_array_mut().unwrap().truncate(N_TREES);
        files[file] = head;
    }
    manifest["heads"] = json!(entries);
    population["scores"] = json!(scores);
    let mut background = read("background.json");
    background["rows"].as_array_mut().unwrap().truncate(N_ROWS);
    files["background.json"] = background;
    files["population.json"] = population;
    let mut plausibility = read("plausibility.json");
    plausibility["linked"].as_array_mut().unwrap().truncate(N_LINKED);
    plausibility["pairs"].as_array_mut().unwrap().truncate(N_LINKED * (N_LINKED - 1) / 2);
    files["plausibility.json"] = plausibility;
    files["manifest.json"] = manifest;
    files
}

/// The same with few features, cuts and steps, so a fraction of the bytes: they are read, written
/// and hashed several times for every input.
fn with_few_features(mut files: Value) -> Value {
    let manifest = &mut files["manifest.json"];
    shorten(&mut manifest["features"], N_FEATURES);
    shorten(&mut manifest["binning"], N_FEATURES);
    manifest["binning"].as_array_mut().unwrap().iter_mut().for_each(|it| shorten(it, N_CUTS));
    let read: Manifest = serde_json::from_value(manifest.clone()).unwrap();
    manifest["schema_hash"] = json!(schema_hash(&read.features));
    let cuts: Vec<usize> = manifest["binning"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cuts| cuts.as_array().unwrap().len())
        .collect();
    for id in HEADS {
        let head = &mut files[format!("heads/{id}.json")];
        for tree in head["ensemble"]["trees"].as_array_mut().unwrap() {
            for split in tree["s"].as_array_mut().unwrap() {
                let at = |at: usize| usize::try_from(split[at].as_u64().unwrap()).unwrap();
                let feature = at(0) % N_FEATURES;
                let cut = at(1).min(cuts[feature] - 1);
                (split[0], split[1]) = (json!(feature), json!(cut));
            }
        }
        shorten(&mut head["calibration"]["bins"], N_CUTS);
        for end in ["lower", "upper"] {
            for column in ["raw", "probability"] {
                shorten(&mut head["calibration"]["intervals"]["venn_abers"][end][column], N_CUTS);
            }
        }
    }
    for row in files["background.json"]["rows"].as_array_mut().unwrap() {
        let ranks = row.as_str().unwrap().as_bytes().chunks(2).take(N_FEATURES);
        let rank = |digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
        let rank = |digits| format!("{:02x}", usize::from(rank(digits)).min(N_CUTS));
        *row = json!(ranks.map(rank).collect::<String>());
    }
    let population = &mut files["population.json"]["features"];
    shorten(population, N_FEATURES);
    for feature in population.as_array_mut().unwrap() {
        feature["parent"] = Value::Null;
        feature["joint"] = json!([]);
    }
    let plausibility = &mut files["plausibility.json"];
    shorten(&mut plausibility["features"], N_FEATURES);
    for feature in plausibility["features"].as_array_mut().unwrap() {
        shorten(&mut feature["values"], N_CUTS);
        shorten(&mut feature["cells"], N_CUTS + 1);
    }
    files
}

fn shorten(list: &mut Value, n_max: usize) {
    list.as_array_mut().unwrap().truncate(n_max);
}

/// A bundle of which one file is damaged, with checksums that fit: what a hostile or
/// broken trainer would write. It loads and scores, or is refused by name.
fn whole(small: &Value) -> Target {
    let dir = super::files::folder();
    Target {
        name: "bundle",
        seeds: vec![serde_json::to_vec(small).unwrap()],
        damage: Box::new(|dice, raw, other| {
            let Ok(mut files) = serde_json::from_slice::<Value>(&raw) else {
                return other.to_vec();
            };
            if let Some((_, file)) = files.as_object_mut().and_then(|all| {
                let at = dice.gen_range(0..all.len().max(1));
                all.iter_mut().nth(at)
            }) {
                json_tree::damage(dice, file);
            }
            serde_json::to_vec(&files).unwrap()
        }),
        read: Box::new(move |raw| {
            let Ok(mut files) = serde_json::from_slice::<Value>(raw) else {
                return Said::refused("not JSON");
            };
            write(&dir, &mut files);
            match Bundle::load(dir.path()) {
                Ok(bundle) => {
                    let n_features = bundle.manifest().features.len();
                    for value in [f32::NAN, 0.0, -1.0, f32::MAX] {
                        let scores = bundle.score(&vec![value; n_features]);
                        assert_eq!(scores.len(), bundle.heads().len());
                    }
                    Said::accepted("loaded")
                }
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    let said = error.to_string().replace(&*dir.path().to_string_lossy(), "");
                    Said::refused(&(said + &cause.unwrap_or_default()))
                }
            }
        }),
        cost: 2_000,
    }
}

fn write(dir: &TempDir, files: &mut Value) {
    let checksum =
        |value: &Value| blake3::hash(&serde_json::to_vec(value).unwrap()).to_hex().to_string();
    let sums: Vec<(String, String)> = files
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), checksum(value)))
        .collect();
    let sum_of = |name: &str| sums.iter().find(|(known, _)| known == name).map(|it| it.1.clone());
    for (list, key, suffix) in [("heads", "file", ""), ("parts", "name", ".json")] {
        // The manifest may be damaged to anything.
        let entries = files.get_mut("manifest.json").and_then(|it| it.get_mut(list));
        for entry in entries.and_then(Value::as_array_mut).into_iter().flatten() {
            let name = entry.get(key).and_then(Value::as_str).map(|name| format!("{name}{suffix}"));
            if let (Some(sum), Some(entry)) =
                (name.and_then(|it| sum_of(&it)), entry.as_object_mut())
            {
                entry.insert("checksum".to_owned(), json!(sum));
            }
        }
    }
    fs::create_dir_all(dir.path().join("heads")).unwrap();
    fs::write(dir.path().join("card.md"), "card").unwrap();
    for (name, value) in files.as_object().into_iter().flatten() {
        // Names are damaged as well; none may lead out of the folder.
        if !name.contains("..") {
            drop(fs::write(dir.path().join(name), serde_json::to_vec(value).unwrap()));
        }
    }
}
