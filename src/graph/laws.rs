//! Laws of the whole graph.
