//! The order-behavior knowledge graph: who met whom, when, and how it ended.
