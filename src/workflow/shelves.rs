//! Where strategies and bundles are found that the journal names.

use crate::workflow::model_shelf::ModelShelf;
use crate::workflow::strategy_shelf::StrategyShelf;

/// What a lineup is put together from; copies share what was read.
#[derive(Clone, Debug)]
pub struct Shelves {
    /// Reads strategy texts.
    pub strategies: StrategyShelf,
    /// Reads bundles.
    pub models: ModelShelf,
}
