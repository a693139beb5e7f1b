//! The background: ordinary orders that an order is compared with.
//!
//! Contributions answer "why riskier than these?". Orders are kept as the ranks of
//! their features, since that is all that trees ask for.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::model::manifest::Manifest;
use crate::model::parts::{Misfit, Part};

/// Most rows of a background: more change contributions by less than their noise.
pub const ROWS_MAX: usize = 4_096;

/// Named rows of ranks, all of the same width.
///
/// Invariant: between 1 and [`ROWS_MAX`] rows of at least one rank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawBackground", into = "RawBackground")]
pub struct Background {
    name: Box<str>,
    hash: Box<str>,
    n_features: usize,
    ranks: Vec<u8>,
}

/// Rows that are no background.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackgroundError {
    /// Too few or too many rows.
    #[error("a background has {0} rows, it must have 1 to {ROWS_MAX}")]
    RowCount(usize),
    /// Ranks that do not make whole rows.
    #[error("{n_ranks} ranks do not make rows of {n_features} features")]
    Width {
        /// Number of ranks.
        n_ranks: usize,
        /// Ranks per row.
        n_features: usize,
    },
    /// A row that is not hexadecimal.
    #[error("row {0} is not a list of bytes in hexadecimal digits")]
    Digits(usize),
}

/// The file form: a row is two hexadecimal digits per rank.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBackground {
    name: Box<str>,
    rows: Vec<String>,
}

impl Background {
    /// Joins rows of `n_features` ranks each, one after the other.
    ///
    /// # Errors
    /// [`BackgroundError`] when they break the invariant.
    pub fn new(name: &str, n_features: usize, ranks: Vec<u8>) -> Result<Self, BackgroundError> {
        let n_ranks = ranks.len();
        if n_features == 0 || !n_ranks.is_multiple_of(n_features) {
            return Err(BackgroundError::Width { n_ranks, n_features });
        }
        let n_rows = n_ranks / n_features;
        if n_rows == 0 || ROWS_MAX < n_rows {
            return Err(BackgroundError::RowCount(n_rows));
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(n_features as u64).to_le_bytes()).update(&ranks);
        let hash = hasher.finalize().to_hex().as_str().into();
        Ok(Self { name: name.into(), hash, n_features, ranks })
    }

    /// Says where the rows come from, `approved orders up to record 51200`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// BLAKE3 of the rows, 64 hex digits; the name is not part of it.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Ranks per row.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// How many orders there are.
    pub fn n_rows(&self) -> usize {
        self.ranks.len() / self.n_features
    }

    /// One row per order: ranks in bundle order.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.ranks.chunks_exact(self.n_features)
    }

    /// All rows, one after the other.
    pub fn ranks(&self) -> &[u8] {
        &self.ranks
    }
}

impl Part for Background {
    const NAME: &'static str = "background";

    fn check(&self, manifest: &Manifest) -> Result<(), Misfit> {
        let expected = manifest.features.len();
        if self.n_features == expected {
            Ok(())
        } else {
            Err(Misfit(format!("rows of {} features, not {expected}", self.n_features)))
        }
    }
}

impl From<Background> for RawBackground {
    fn from(background: Background) -> Self {
        let digits = |row: &[u8]| {
            row.iter().fold(String::with_capacity(2 * row.len()), |mut text, rank| {
                // Writing to a String cannot fail.
                let _ = write!(text, "{rank:02x}");
                text
            })
        };
        Self { name: background.name.clone(), rows: background.rows().map(digits).collect() }
    }
}

impl TryFrom<RawBackground> for Background {
    type Error = BackgroundError;
    fn try_from(raw: RawBackground) -> Result<Self, BackgroundError> {
        let n_features = raw.rows.first().map_or(0, |row| row.len() / 2);
        let mut ranks = Vec::with_capacity(raw.rows.len() * n_features);
        for (at, row) in raw.rows.iter().enumerate() {
            let bytes = bytes_of(row).filter(|bytes| bytes.len() == n_features);
            ranks.extend(bytes.ok_or(BackgroundError::Digits(at))?);
        }
        Self::new(&raw.name, n_features, ranks)
    }
}

fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.len().is_multiple_of(2).then(|| pairs.map(byte).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_background_reads_back_exactly_as_it_was_written() {
        let background = Background::new("good orders", 3, vec![0, 255, 16, 1, 2, 3]).unwrap();
        let text = serde_json::to_string(&background).unwrap();
        assert!(text.contains("\"00ff10\""), "{text}");
        assert_eq!(serde_json::from_str::<Background>(&text).unwrap(), background);
    }

    #[test]
    fn the_hash_names_the_rows_and_their_width() {
        let hash = |n_features, ranks: &[u8]| {
            let background = Background::new("x", n_features, ranks.to_vec()).unwrap();
            background.hash().to_owned()
        };
        assert_eq!(hash(2, &[1, 2, 3, 4]), hash(2, &[1, 2, 3, 4]));
        assert_ne!(hash(2, &[1, 2, 3, 4]), hash(4, &[1, 2, 3, 4]));
        assert_ne!(hash(2, &[1, 2, 3, 4]), hash(2, &[1, 2, 3, 5]));
    }

    #[test]
    fn rows_that_are_no_background_are_refused() {
        let error =
            |n_features, n_ranks| Background::new("x", n_features, vec![1; n_ranks]).unwrap_err();
        assert_eq!(error(3, 4), BackgroundError::Width { n_ranks: 4, n_features: 3 });
        assert_eq!(error(0, 0), BackgroundError::Width { n_ranks: 0, n_features: 0 });
        assert_eq!(error(3, 0), BackgroundError::RowCount(0));
        assert_eq!(error(1, ROWS_MAX + 1), BackgroundError::RowCount(ROWS_MAX + 1));
        for rows in [r#"["00","0"]"#, r#"["00","0g"]"#, r#"["00","0001"]"#, r#"["é"]"#] {
            let text = format!(r#"{{"name":"x","rows":{rows}}}"#);
            assert!(serde_json::from_str::<Background>(&text).is_err(), "{text}");
        }
    }
}
