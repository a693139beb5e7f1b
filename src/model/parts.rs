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

/// Every part that a bundle can have; `None` when it has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    /// The orders that contributions compare with until the service has its own.
    pub background: Option<Background>,
    /// What the training rows looked like.
    pub population: Option<Population>,
    /// Which values and pairs of values the training rows have seen.
    pub plausibility: Option<Plausibility>,
}

impl Parts {
    /// Checks the parts and lists them with their checksums.
    pub(crate) fn entries(&self, manifest: &Manifest) -> Result<Vec<PartEntry>, Error> {
        let entries = [
            entry_of(self.background.as_ref(), manifest)?,
            entry_of(self.population.as_ref(), manifest)?,
            entry_of(self.plausibility.as_ref(), manifest)?,
        ];
        Ok(entries.into_iter().flatten().collect())
    }

    /// Writes the file of every part.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), Error> {
        save_part(self.background.as_ref(), folder)?;
        save_part(self.population.as_ref(), folder)?;
        save_part(self.plausibility.as_ref(), folder)
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

fn entry_of<P: Part>(part: Option<&P>, manifest: &Manifest) -> Result<Option<PartEntry>, Error> {
    let Some(part) = part else { return Ok(None) };
    let file = file_of::<P>();
    let path = Path::new(&file);
    check_fit(part, path, manifest)?;
    let checksum = artifact::checksum(&artifact::to_json(path, part)?);
    Ok(Some(PartEntry { name: P::NAME.into(), checksum }))
}

fn save_part<P: Part>(part: Option<&P>, folder: &Path) -> Result<(), Error> {
    let Some(part) = part else { return Ok(()) };
    let path = folder.join(file_of::<P>());
    artifact::write(&path, &artifact::to_json(&path, part)?)
}

fn load_part<P: Part>(folder: &Path, manifest: &Manifest) -> Result<Option<P>, Error> {
    let Some(entry) = manifest.parts.iter().find(|entry| *entry.name == *P::NAME) else {
        return Ok(None);
    };
    let path = folder.join(file_of::<P>());
    let part: P = artifact::read_checked(&path, &entry.checksum)?;
    check_fit(&part, &path, manifest)?;
    Ok(Some(part))
}

fn check_fit<P: Part>(part: &P, path: &Path, manifest: &Manifest) -> Result<(), Error> {
    part.check(manifest).map_err(|source| Error::Misfit { path: path.to_owned(), source })
}

fn file_of<P: Part>() -> String {
    format!("{}.json", P::NAME)
}
