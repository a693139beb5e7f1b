//! Makes a background of recently approved orders on a thread of its own.
//!
//! Nothing here decides an answer: answers use a background from the record on that the
//! sequencer writes when it is done, however long that took.

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use tracing::warn;

use crate::domain::record::{BackgroundActivated, Record};
use crate::domain::time::Timestamp;
use crate::model::background::Background;
use crate::model::bundle::Bundle;
use crate::store::way_giving::give_way;
use crate::workflow::approved_orders::LastBackground;
use crate::workflow::error::Error;
use crate::workflow::explainer::{Explainer, Explainers};
use crate::workflow::state::State;

/// At most one background in the making.
#[derive(Debug)]
pub struct BackgroundBuild {
    bundle: Arc<Bundle>,
    explainers: Explainers,
    running: Option<JoinHandle<Result<Explainer, Error>>>,
    /// After a failure, nothing is tried before this journal position.
    rest_until: u64,
}

impl BackgroundBuild {
    /// Makes backgrounds for a bundle; what is made is kept in `explainers`.
    pub fn new(bundle: Arc<Bundle>, explainers: Explainers) -> Self {
        Self { bundle, explainers, running: None, rest_until: 0 }
    }

    /// Starts to make a background of the orders that the state has, if one is due. Costs
    /// the caller a copy of their features.
    pub fn start_if_due(&mut self, state: &State) {
        let last = match state.background {
            Some(_) => LastBackground::Active,
            None => LastBackground::None,
        };
        let is_due = state.approved.is_due(self.bundle.hash(), last);
        if self.running.is_some() || !is_due || state.position < self.rest_until {
            return;
        }
        let bundle = self.bundle.clone();
        let values = state.approved.features();
        let name = format!("approved orders up to record {}", state.position);
        let started = Builder::new().name("background".to_owned()).spawn(move || {
            give_way();
            compile(&bundle, &name, &values)
        });
        match started {
            Ok(running) => self.running = Some(running),
            Err(error) => self.fail(state, &error),
        }
    }

    /// What was started, once it is done; does not wait.
    pub fn finished(&mut self, state: &State) -> Option<Arc<Explainer>> {
        let running = self.running.take_if(|running| running.is_finished())?;
        match running.join() {
            Ok(Ok(explainer)) => {
                let explainer = Arc::new(explainer);
                self.explainers.keep(explainer.clone());
                Some(explainer)
            }
            Ok(Err(error)) => {
                self.fail(state, &error);
                None
            }
            Err(_) => {
                self.fail(state, &"its thread panicked");
                None
            }
        }
    }

    /// Makes backgrounds for another bundle from here on; what is in the making is dropped.
    pub fn follow(&mut self, bundle: Arc<Bundle>) {
        self.bundle = bundle;
        self.running = None;
    }

    /// The record that makes a background active.
    pub fn record(&self, background: &Background, at: Timestamp) -> Record {
        Record::BackgroundActivated(BackgroundActivated {
            name: background.name().into(),
            hash: background.hash().into(),
            model_hash: self.bundle.hash().into(),
            n_features: u32::try_from(background.n_features()).unwrap_or(u32::MAX),
            ranks: background.ranks().to_vec(),
            at,
        })
    }

    /// A background as its record gives it, compiled unless it is kept; `None` when the rows are
    /// none of the bundle's.
    pub fn explainer_of(&self, activated: &BackgroundActivated) -> Option<Arc<Explainer>> {
        let BackgroundActivated { name, hash, n_features, ranks, .. } = activated;
        if let Some(kept) = self.explainers.kept(hash, name) {
            return Some(kept);
        }
        let background = Background::new(name, *n_features as usize, ranks.clone()).ok()?;
        let explainer = Arc::new(Explainer::compile(&self.bundle, background).ok()?);
        self.explainers.keep(explainer.clone());
        Some(explainer)
    }

    /// Makes none before some more orders were approved.
    pub fn rest(&mut self, state: &State) {
        self.rest_until = state.position + state.approved.rule().every_approved;
    }

    /// Tells of a failure and rests: answers keep the background that they have.
    pub fn fail(&mut self, state: &State, why: &dyn std::fmt::Display) {
        self.rest(state);
        warn!(%why, "no new background: answers compare with the one before");
    }

    /// Waits for what is running; its result is dropped and will be due again.
    pub fn stop(self) {
        if let Some(running) = self.running {
            // A panic has told the log; there is nothing to save.
            drop(running.join());
        }
    }
}

fn compile(bundle: &Bundle, name: &str, values: &[f32]) -> Result<Explainer, Error> {
    let manifest = bundle.manifest();
    let n_features = manifest.features.len();
    let (mut ranks, mut row) = (Vec::with_capacity(values.len()), Vec::new());
    for values in values.chunks_exact(n_features.max(1)) {
        manifest.binning.ranks_into(values, &mut row);
        ranks.extend_from_slice(&row);
    }
    let background = Background::new(name, n_features, ranks)
        .map_err(|error| Error::failed("making a background", error))?;
    Explainer::compile(bundle, background)
        .map_err(|error| Error::failed("compiling a background", error))
}
