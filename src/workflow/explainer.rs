//! A bundle compiled against the service's own backgrounds, each once.
//!
//! Which background explains an answer is part of the state; this only saves the time
//! of compiling it again for every answer that is replayed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::artifact;
use crate::model::background::Background;
use crate::model::bundle::Bundle;
use crate::model::engine::Engine;
use crate::workflow::error::Error;
use crate::workflow::judge_order::Judge;
use crate::workflow::state::State;

/// Most explainers that are kept; a few MB each.
const KEPT_MAX: usize = 4;

/// All heads of a bundle, compiled against a background.
#[derive(Debug)]
pub struct Explainer {
    /// The orders that contributions compare with.
    pub background: Background,
    /// The heads.
    pub engine: Engine,
}

/// The explainers of one bundle that were used last; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Explainers(Arc<Mutex<VecDeque<Arc<Explainer>>>>);

impl Explainer {
    /// Compiles a bundle against a background: tens of milliseconds, so not on a thread
    /// that anybody waits for.
    ///
    /// # Errors
    /// [`artifact::Error::Misfit`] for rows of another width, [`artifact::Error::Additivity`]
    /// when contributions would not sum to the score.
    pub fn compile(bundle: &Bundle, background: Background) -> Result<Self, artifact::Error> {
        let engine = bundle.compile(&background)?;
        Ok(Self { background, engine })
    }
}

impl Explainers {
    /// The judge as it explains in a state; compiles the background when it is not kept.
    ///
    /// # Errors
    /// `Internal` when it does not compile.
    pub fn explain(&self, judge: &Judge, state: &State) -> Result<Judge, Error> {
        let Some(background) = &state.background else {
            return Ok(judge.with_explainer(None));
        };
        if let Some(kept) = self.kept(background.hash(), background.name()) {
            return Ok(judge.with_explainer(Some(kept)));
        }
        let explainer = Explainer::compile(judge.bundle(), background.clone())
            .map_err(|error| Error::failed("compiling a background", error))?;
        let explainer = Arc::new(explainer);
        self.keep(explainer.clone());
        Ok(judge.with_explainer(Some(explainer)))
    }

    /// The kept explainer against the background with a hash, whatever its name.
    pub fn find(&self, hash: &str) -> Option<Arc<Explainer>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|explainer| explainer.background.hash() == hash).cloned()
    }

    /// Keeps an explainer, instead of the oldest when there are too many.
    pub fn keep(&self, explainer: Arc<Explainer>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back(explainer);
        while KEPT_MAX < kept.len() {
            kept.pop_front();
        }
    }

    /// The kept explainer against the background with a hash and a name.
    pub fn kept(&self, hash: &str, name: &str) -> Option<Arc<Explainer>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it =
            |background: &Background| background.hash() == hash && background.name() == name;
        kept.iter().find(|explainer| is_it(&explainer.background)).cloned()
    }
}
