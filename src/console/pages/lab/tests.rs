//! The pages of the lab, written with real findings in both languages.
