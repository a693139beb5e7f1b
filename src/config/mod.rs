//! Files that people edit, checked before anything uses them.
