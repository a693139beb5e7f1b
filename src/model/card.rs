//! The model card of a bundle: text and pictures for people, not for scoring.

/// Folder of the pictures, beside the text.
pub const PICTURES_FOLDER: &str = "plots";

/// What a person reads about a bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    /// Markdown; names its pictures by [`PICTURES_FOLDER`] and file name.
    pub text: String,
    /// The pictures; a bundle that was read back leaves them on disk.
    pub pictures: Vec<Picture>,
}

/// A picture in a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What it shows, for those who cannot see it.
    pub title: String,
    /// File name, `reliability-payment_fraud.svg`.
    pub file: String,
    /// The file's content.
    pub svg: String,
}
