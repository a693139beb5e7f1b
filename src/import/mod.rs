//! Foreign files to canonical events, by a mapping.
