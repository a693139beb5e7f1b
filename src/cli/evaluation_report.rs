//! The folder that `evaluate --report` writes: figures, pictures, a page.

use std::fmt::Write;
use std::path::Path;

use miette::{Context, IntoDiagnostic};
use serde::Serialize;

use crate::model::card::Picture;

/// The figures.
const JSON_FILE: &str = "report.json";
/// The page that shows the pictures.
const PAGE_FILE: &str = "report.md";

/// Writes `report.json`, every picture, and `report.md`, which shows them.
///
/// # Errors
/// When the folder or a file cannot be written.
pub fn write_report(
    folder: &Path,
    report: &impl Serialize,
    pictures: &[Picture],
) -> miette::Result<()> {
    std::fs::create_dir_all(folder)
        .into_diagnostic()
        .wrap_err_with(|| format!("creating {}", folder.display()))?;
    let json = serde_json::to_string_pretty(report).into_diagnostic()?;
    write_file(&folder.join(JSON_FILE), &json)?;
    for picture in pictures {
        write_file(&folder.join(&picture.file), &picture.svg)?;
    }
    write_file(&folder.join(PAGE_FILE), &page(pictures))
}

fn page(pictures: &[Picture]) -> String {
    let mut page = format!("# Evaluation\n\nFigures: [{JSON_FILE}]({JSON_FILE}).\n");
    for Picture { title, file, .. } in pictures {
        // Writing to a String cannot fail.
        let _: Result<(), std::fmt::Error> = writeln!(page, "\n![{title}]({file})");
    }
    page
}

fn write_file(path: &Path, text: &str) -> miette::Result<()> {
    std::fs::write(path, text)
        .into_diagnostic()
        .wrap_err_with(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_holds_figures_pictures_and_a_page_that_shows_them() {
        let folder = tempfile::tempdir().unwrap();
        let [title, file] = ["a: scores", "scores-a.svg"].map(str::to_owned);
        let picture = Picture { title, file, svg: "<svg/>".to_owned() };
        let inside = folder.path().join("new");
        write_report(&inside, &[0.5], std::slice::from_ref(&picture)).unwrap();
        let read = |name: &str| std::fs::read_to_string(inside.join(name)).unwrap();
        assert_eq!(read("scores-a.svg"), "<svg/>");
        assert!(read(JSON_FILE).contains("0.5"));
        assert!(read(PAGE_FILE).contains("![a: scores](scores-a.svg)"));
    }
}
