//! Bundles kept in memory by hash: going back takes no time.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;

use crate::model::bundle::Bundle;
use crate::workflow::error::Error;

/// Most bundles that are kept: the active one and five before it, some 10 MB each.
pub const BUNDLES_MAX: usize = 6;

/// Reads the bundle with a name and version, `risk/1`, where bundles are kept.
pub type BundleReader = Arc<dyn Fn(&str) -> Result<Bundle, BundleFault> + Send + Sync>;

/// Why a bundle does not load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BundleFault {
    /// There is none of that name and version.
    Missing,
    /// There is one, and something is wrong with it.
    Broken(Box<str>),
}

/// Reads bundles and keeps what it read; copies share it.
#[derive(Clone)]
pub struct ModelShelf {
    read: BundleReader,
    kept: Arc<Mutex<IndexMap<Box<str>, Arc<Bundle>>>>,
}

impl ModelShelf {
    /// An empty shelf.
    pub fn new(read: BundleReader) -> Self {
        Self { read, kept: Arc::default() }
    }

    /// Keeps a bundle that is loaded already.
    pub fn keep(&self, bundle: &Arc<Bundle>) {
        let mut kept = self.lock();
        // Asked for last, dropped last.
        kept.shift_remove(bundle.hash());
        if BUNDLES_MAX <= kept.len() {
            kept.shift_remove_index(0);
        }
        kept.insert(bundle.hash().into(), bundle.clone());
    }

    /// The bundle with a name, as it is on disk now.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Unavailable` when it does not load.
    pub fn find(&self, name: &str) -> Result<Arc<Bundle>, Error> {
        let read = (self.read)(name).map_err(|fault| match fault {
            BundleFault::Missing => Error::UnknownModel(name.into()),
            BundleFault::Broken(why) => unavailable(name, &why),
        })?;
        let bundle = Arc::new(read);
        self.keep(&bundle);
        Ok(bundle)
    }

    /// The bundle with a name and a hash.
    ///
    /// # Errors
    /// `Unavailable` when there is none, or one of that name with another hash.
    pub fn get(&self, name: &str, hash: &str) -> Result<Arc<Bundle>, Error> {
        let kept = self.lock().get(hash).cloned();
        if let Some(bundle) = kept {
            self.keep(&bundle);
            return Ok(bundle);
        }
        let read = (self.read)(name).map_err(|fault| match fault {
            BundleFault::Missing => unavailable(name, "it is gone from the folder of bundles"),
            BundleFault::Broken(why) => unavailable(name, &why),
        })?;
        if *read.hash() != *hash {
            let why = format!("the one with this name is {}, not {hash}", read.hash());
            return Err(unavailable(name, &why));
        }
        let bundle = Arc::new(read);
        self.keep(&bundle);
        Ok(bundle)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, IndexMap<Box<str>, Arc<Bundle>>> {
        // Whoever panicked has put in a whole entry or none.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds no bundle beside those that are loaded.
pub fn only_loaded() -> BundleReader {
    Arc::new(|_| Err(BundleFault::Missing))
}

fn unavailable(name: &str, why: &str) -> Error {
    Error::Unavailable(format!("bundle {name} is not loaded: {why}").into())
}

impl fmt::Debug for ModelShelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelShelf").field("kept", &self.lock().len()).finish_non_exhaustive()
    }
}
