//! What the system does, a verb per file.
