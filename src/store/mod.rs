//! The journal (the only truth) and the records projected from it.
