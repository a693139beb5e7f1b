//! A bundle: several heads over one feature vector, ready to score.

use std::path::{Component, Path};

use crate::domain::head::{HeadId, HeadKind, HeadScore};
use crate::model::artifact::{self, CARD_FILE, Error, HeadArtifact, MANIFEST_FILE};
use crate::model::background::Background;
use crate::model::calibration::Calibration;
use crate::model::card::{Card, PICTURES_FOLDER};
use crate::model::conformal::OuterQuantiles;
use crate::model::conformal::in_order;
use crate::model::counterfactual::search_forest::SearchForest;
use crate::model::engine::{Engine, Scratch};
use crate::model::ensemble::{Ensemble, Tree};
use crate::model::game::Game;
use crate::model::manifest::{FORMAT_VERSION, Manifest, schema_hash};
use crate::model::parts::{Part, Parts};
use crate::model::plain_forest::PlainPair;
use crate::model::unlike::{UnlikeTables, Unlikeness};

/// Random orders on which additivity is checked when an engine is compiled.
const ADDITIVITY_ORDERS: u32 = 256;

/// Heads over one feature vector, with what made them.
#[derive(Clone, Debug)]
pub struct Bundle {
    manifest: Manifest,
    manifest_bytes: Vec<u8>,
    hash: Box<str>,
    heads: Vec<Head>,
    engine: Engine,
    parts: Parts,
    unlike: UnlikeTables,
    card: Card,
}

/// One head.
#[derive(Clone, Debug)]
pub struct Head {
    id: HeadId,
    kind: HeadKind,
    artifact: HeadArtifact,
    search_forest: SearchForest,
    /// The outer quantiles of a value head, compiled.
    quantiles: Option<PlainPair>,
}

impl Bundle {
    /// Joins a manifest with the heads it lists, in its order; fills in the checksums,
    /// file names, tree counts and the schema hash.
    ///
    /// # Errors
    /// [`Error::BinningWidth`], [`Error::UnknownBorder`], [`Error::Additivity`] or
    /// [`Error::Misfit`] when the parts do not fit together.
    pub fn assemble(
        mut manifest: Manifest,
        artifacts: Vec<HeadArtifact>,
        parts: Parts,
        card: Card,
    ) -> Result<Self, Error> {
        manifest.format_version = FORMAT_VERSION;
        manifest.schema_hash = schema_hash(&manifest.features);
        let path = Path::new(MANIFEST_FILE);
        check_binning(path, &manifest)?;
        let mut heads = Vec::with_capacity(artifacts.len());
        for (position, artifact) in artifacts.into_iter().enumerate() {
            let Some(entry) = manifest.heads.get_mut(position) else { break };
            entry.file = format!("heads/{}.json", entry.id).into();
            entry.checksum = artifact::checksum(&artifact::to_json(path, &artifact)?);
            entry.n_trees = u32::try_from(artifact.ensemble.trees().len()).unwrap_or(u32::MAX);
            let file = Path::new(&*entry.file).to_owned();
            heads.push(Head::new(&manifest, position, artifact, &file)?);
        }
        manifest.heads.truncate(heads.len());
        manifest.parts = parts.entries(&manifest)?;
        let engine = compile(path, &manifest, &heads, &parts.background)?;
        let manifest_bytes = artifact::to_json(path, &manifest)?;
        let hash = artifact::checksum(&manifest_bytes);
        let unlike = UnlikeTables::compile(&parts.population);
        Ok(Self { manifest, manifest_bytes, hash, heads, engine, parts, unlike, card })
    }

    /// Reads the bundle in a folder; verifies every checksum and that contributions sum
    /// to the score.
    ///
    /// # Errors
    /// Any [`Error`], naming the file.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(MANIFEST_FILE);
        let manifest_bytes = artifact::read(&path)?;
        check_format(&path, &manifest_bytes)?;
        let manifest: Manifest = artifact::parse(&path, &manifest_bytes)?;
        let found = schema_hash(&manifest.features);
        if found != manifest.schema_hash {
            let expected = manifest.schema_hash;
            return Err(Error::SchemaMismatch { path, found, expected });
        }
        check_binning(&path, &manifest)?;
        let mut heads = Vec::with_capacity(manifest.heads.len());
        for (position, entry) in manifest.heads.iter().enumerate() {
            check_inside(&path, &entry.file)?;
            let file = folder.join(&*entry.file);
            let artifact = artifact::read_checked(&file, &entry.checksum)?;
            heads.push(Head::new(&manifest, position, artifact, &file)?);
        }
        let parts = Parts::load(folder, &manifest)?;
        let engine = compile(&path, &manifest, &heads, &parts.background)?;
        let card = folder.join(CARD_FILE);
        let text = String::from_utf8_lossy(&artifact::read(&card)?).into_owned();
        let card = Card { text, pictures: Vec::new() };
        let hash = artifact::checksum(&manifest_bytes);
        let unlike = UnlikeTables::compile(&parts.population);
        Ok(Self { manifest, manifest_bytes, hash, heads, engine, parts, unlike, card })
    }

    /// Writes the bundle into a folder; the manifest last.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file.
    pub fn save(&self, folder: &Path) -> Result<(), Error> {
        for (head, entry) in self.heads.iter().zip(&self.manifest.heads) {
            let file = folder.join(&*entry.file);
            artifact::write(&file, &artifact::to_json(&file, &head.artifact)?)?;
        }
        self.parts.save(folder)?;
        for picture in &self.card.pictures {
            let file = folder.join(PICTURES_FOLDER).join(&picture.file);
            artifact::write(&file, picture.svg.as_bytes())?;
        }
        artifact::write(&folder.join(CARD_FILE), self.card.text.as_bytes())?;
        artifact::write(&folder.join(MANIFEST_FILE), &self.manifest_bytes)
    }

    /// Its name and version, `risk/1`.
    pub fn full_name(&self) -> Box<str> {
        format!("{}/{}", self.manifest.name, self.manifest.version).into()
    }

    /// What the bundle says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The heads, in scoring order.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// One head by name.
    pub fn head(&self, id: &HeadId) -> Option<&Head> {
        self.heads.iter().find(|head| head.id == *id)
    }

    /// BLAKE3 of the manifest's bytes, 64 hex digits: names the whole bundle, since the
    /// manifest holds the checksum of every head.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The files beside the heads.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// How unlike the training rows a feature vector is.
    pub fn unlikeness(&self, values: &[f32]) -> Unlikeness {
        self.unlike.assess(values)
    }

    /// The model card, Markdown.
    pub fn card(&self) -> &str {
        &self.card.text
    }

    /// All heads, compiled against the bundle's own background.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// All heads, compiled against another background.
    ///
    /// # Errors
    /// [`Error::Misfit`] for rows of another width, [`Error::Additivity`] when contributions
    /// would not sum to the score.
    pub fn compile(&self, background: &Background) -> Result<Engine, Error> {
        let path = Path::new(MANIFEST_FILE);
        let misfit = |source| Error::Misfit { path: path.to_owned(), source };
        background.check(&self.manifest).map_err(misfit)?;
        compile(path, &self.manifest, &self.heads, background)
    }

    /// Scores one feature vector with every head; shape `[n_features]`, NaN = unknown.
    pub fn score(&self, values: &[f32]) -> Vec<HeadScore> {
        self.score_with(&self.engine, &mut Scratch::default(), values)
    }

    /// Like [`Bundle::score`], with one of this bundle's engines and buffers that the
    /// caller keeps.
    pub fn score_with(
        &self,
        engine: &Engine,
        scratch: &mut Scratch,
        values: &[f32],
    ) -> Vec<HeadScore> {
        engine.explain(values, scratch);
        let heads = self.heads.iter().enumerate();
        heads.map(|(position, head)| head.read(engine, scratch, position)).collect()
    }

    /// Like [`Bundle::score`] without contributions, which then are empty: what a strategy
    /// reads that weights no group.
    pub fn score_plain(&self, scratch: &mut Scratch, values: &[f32]) -> Vec<HeadScore> {
        self.engine.score(values, scratch);
        let heads = self.heads.iter().enumerate();
        let read = |(position, head): (usize, &Head)| {
            head.read_plain(&self.engine, scratch, position, Vec::new())
        };
        heads.map(read).collect()
    }
}

impl Head {
    /// Which head.
    pub fn id(&self) -> &HeadId {
        &self.id
    }

    /// What its numbers mean.
    pub fn kind(&self) -> HeadKind {
        self.kind
    }

    /// From raw to calibrated.
    pub fn calibration(&self) -> &Calibration {
        &self.artifact.calibration
    }

    /// The trees.
    pub fn ensemble(&self) -> &Ensemble {
        &self.artifact.ensemble
    }

    /// The trees as a search for counterfactuals reads them.
    pub fn search_forest(&self) -> &SearchForest {
        &self.search_forest
    }

    /// The calibrated value of a raw score, also of one that a strategy re-weighted.
    pub fn calibrate(&self, raw: f64) -> f64 {
        self.calibration().calibrate(raw)
    }

    /// The interval around the probability [`Head::calibrate`].
    pub fn interval(&self, raw: f64) -> (f64, f64) {
        self.calibration().interval(raw, (raw, raw))
    }

    /// The interval of a scored order: see [`Calibration::interval`].
    fn interval_at(&self, raw: f64, padded_ranks: &[u8]) -> (f64, f64) {
        let quantiles = self.quantiles.as_ref().map(|pair| in_order(pair.raw(padded_ranks)));
        self.calibration().interval(raw, quantiles.unwrap_or((raw, raw)))
    }

    /// Held-out rows that back the calibration near this score.
    pub fn n_support(&self, raw: f64) -> u64 {
        self.calibration().n_support(raw)
    }

    /// What an engine left behind about this head.
    fn read(&self, engine: &Engine, scratch: &Scratch, position: usize) -> HeadScore {
        let scale = engine.scale(position);
        let shifts = scratch.contributions(position).iter();
        let contributions = shifts.map(|&shift| scale.to_value(shift.into())).collect();
        self.read_plain(engine, scratch, position, contributions)
    }

    fn read_plain(
        &self,
        engine: &Engine,
        scratch: &Scratch,
        position: usize,
        contributions: Vec<f64>,
    ) -> HeadScore {
        let scale = engine.scale(position);
        let raw = scale.to_value(scratch.raw(position).into());
        HeadScore {
            head: self.id.clone(),
            kind: self.kind,
            base: scale.to_value(engine.base(position).into()),
            raw,
            contributions,
            calibrated: self.calibrate(raw),
            interval: self.interval_at(raw, scratch.padded_ranks()),
            n_support: self.n_support(raw),
        }
    }

    fn new(
        manifest: &Manifest,
        position: usize,
        artifact: HeadArtifact,
        file: &Path,
    ) -> Result<Self, Error> {
        let entry = &manifest.heads[position];
        let (path, head) = (file.to_owned(), entry.id.clone());
        let quantiles = artifact.quantiles.iter().flat_map(OuterQuantiles::ensembles);
        let all = quantiles.chain([&artifact.ensemble]).flat_map(Ensemble::trees);
        for split in all.flat_map(Tree::splits) {
            let n_borders = manifest.binning.borders(usize::from(split.feature)).len();
            if n_borders <= usize::from(split.border) {
                let (feature, border) = (split.feature, split.border);
                return Err(Error::UnknownBorder { path, head, feature, border });
            }
        }
        let n_features = manifest.features.len();
        let search_forest = SearchForest::compile(&artifact.ensemble, n_features);
        let compile = |outer: &OuterQuantiles| PlainPair::compile(outer.ensembles(), n_features);
        let quantiles = artifact.quantiles.as_ref().map(compile);
        Ok(Self { id: head, kind: entry.kind, artifact, search_forest, quantiles })
    }
}

/// Compiles all heads and checks that the engine agrees with the trees.
fn compile(
    path: &Path,
    manifest: &Manifest,
    heads: &[Head],
    background: &Background,
) -> Result<Engine, Error> {
    let ensembles: Vec<&Ensemble> = heads.iter().map(Head::ensemble).collect();
    let game = Game::Interventional(background);
    let engine = Engine::compile(&manifest.binning, &ensembles, game);
    match engine.largest_residual(&ensembles, ADDITIVITY_ORDERS) {
        0 => Ok(engine),
        residual => Err(Error::Additivity { path: path.to_owned(), residual }),
    }
}

/// Reads the version before the rest: another layout may not parse at all.
fn check_format(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    #[derive(serde::Deserialize)]
    struct Format {
        format_version: u32,
    }
    let Format { format_version: found } = artifact::parse(path, bytes)?;
    if found == FORMAT_VERSION {
        Ok(())
    } else {
        let path = path.to_owned();
        Err(Error::FormatVersion { path, found, expected: FORMAT_VERSION })
    }
}

fn check_binning(path: &Path, manifest: &Manifest) -> Result<(), Error> {
    let (found, expected) = (manifest.binning.n_features(), manifest.features.len());
    if found == expected {
        Ok(())
    } else {
        Err(Error::BinningWidth { path: path.to_owned(), found, expected })
    }
}

fn check_inside(path: &Path, file: &str) -> Result<(), Error> {
    let is_inside = Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
    if is_inside {
        Ok(())
    } else {
        Err(Error::OutsidePath { path: path.to_owned(), file: file.into() })
    }
}
