//! Parts: files of a bundle beside its heads, covered by its hash.
//!
//! A new part is a type with [`Part`], a field of [`Parts`] and a line in each of
//! its functions.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::artifact::{self, Error};
use crate::model::background::Background;
use crate::model::counterfactual::plausibility::Plausibility;
use crate::model::manifest::{Manifest, PartEntry};
use crate::model::population::Population;

/// The content of a part's file.
pub trait Part: Serialize + DeserializeOwned {
    /// Name of the part in the manifest; its file is `<name>.json`.
    const NAME: &'static str;

    /// Checks that the part belongs to the bundle that lists it.
    ///
    /// # Errors
    /// [`Misfit`] saying what does not fit.
    fn check(&self, manifest: &Manifest) -> Result<(), Misfit>;
}

/// What of a part does not fit its bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Misfit(pub String);

/// The parts of a bundle.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// The orders that contributions compare with until the service has its own.
    pub background: Background,
    /// What the training rows looked like.
    pub population: Population,
    /// Which values and pairs of values the training rows have seen.
    pub plausibility: Plausibility,
}

impl Parts {
    /// Checks the parts and lists them with their checksums.
    pub(crate) fn entries(&self, manifest: &Manifest) -> Result<Vec<PartEntry>, Error> {
        Ok(vec![
            entry_of(&self.background, manifest)?,
            entry_of(&self.population, manifest)?,
            entry_of(&self.plausibility, manifest)?,
        ])
    }

    /// Writes the file of every part.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), Error> {
        save_part(&self.background, folder)?;
        save_part(&self.population, folder)?;
        save_part(&self.plausibility, folder)
    }

    /// Reads the parts that a manifest lists; verifies every checksum.
    pub(crate) fn load(folder: &Path, manifest: &Manifest) -> Result<Self, Error> {
        let known = [Background::NAME, Population::NAME, Plausibility::NAME];
        if let Some(entry) = manifest.parts.iter().find(|entry| !known.contains(&&*entry.name)) {
            return Err(Error::UnknownPart { path: folder.to_owned(), name: entry.name.clone() });
        }
        Ok(Self {
            background: load_part(folder, manifest)?,
            population: load_part(folder, manifest)?,
            plausibility: load_part(folder, manifest)?,
        })
    }
}

fn entry_of<P: Part>(part: &P, manifest: &Manifest) -> Result<PartEntry, Error> {
    let file = file_of::<P>();
    let path = Path::new(&file);
    check_fit(part, path, manifest)?;
    let checksum = artifact::checksum(&artifact::to_json(path, part)?);
    Ok(PartEntry { name: P::NAME.into(), checksum })
}

fn save_part<P: Part>(part: &P, folder: &Path) -> Result<(), Error> {
    let path = folder.join(file_of::<P>());
    artifact::write(&path, &artifact::to_json(&path, part)?)
}

fn load_part<P: Part>(folder: &Path, manifest: &Manifest) -> Result<P, Error> {
    let Some(entry) = manifest.parts.iter().find(|entry| *entry.name == *P::NAME) else {
        return Err(Error::MissingPart { path: folder.to_owned(), name: P::NAME });
    };
    let path = folder.join(file_of::<P>());
    let part: P = artifact::read_checked(&path, &entry.checksum)?;
    check_fit(&part, &path, manifest)?;
    Ok(part)
}

fn check_fit<P: Part>(part: &P, path: &Path, manifest: &Manifest) -> Result<(), Error> {
    part.check(manifest).map_err(|source| Error::Misfit { path: path.to_owned(), source })
}

fn file_of<P: Part>() -> String {
    format!("{}.json", P::NAME)
}
