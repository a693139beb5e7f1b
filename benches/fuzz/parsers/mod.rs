//! Every reader of bytes that come from outside, each with samples and damages.
//!
//! Shared by the bench, which reads millions of inputs, and a test that reads a few
//! thousand of each with a fixed seed.

mod files;
mod json_tree;
mod messages;
mod models;
mod mutate;
pub(crate) mod runner;
mod texts;
mod webhooks;
mod wire_tree;

#[path = "../../../tests/system/fake/decision.rs"]
mod sample_decision;
#[path = "../../../tests/system/orders.rs"]
mod sample_orders;

use rand_chacha::ChaCha8Rng;

/// Makes another input of one; the last argument lends parts.
pub(crate) type Damage = Box<dyn Fn(&mut ChaCha8Rng, Vec<u8>, &[u8]) -> Vec<u8>>;
/// Reads an input as the service does.
pub(crate) type Reader = Box<dyn Fn(&[u8]) -> Said>;

/// A reader, with what it is fed.
pub(crate) struct Target {
    /// Name on the command line.
    pub name: &'static str,
    /// What it accepts; never empty.
    pub seeds: Vec<Vec<u8>>,
    /// How inputs are damaged.
    pub damage: Damage,
    /// The reader. It panics when what it read breaks a law.
    pub read: Reader,
    /// Of this many inputs of the others, one is enough here: it is slower by that.
    pub cost: u64,
}

/// What a reader said about an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// Whether it took the input.
    pub is_accepted: bool,
    /// Equal for answers that only differ in values.
    pub saying: u64,
}

impl Said {
    /// It took the input, and says this much about it.
    pub(crate) fn accepted(about: &str) -> Self {
        Self { is_accepted: true, saying: fingerprint(about) }
    }

    /// It refused the input for a reason.
    pub(crate) fn refused(why: &str) -> Self {
        Self { is_accepted: false, saying: !shape(why) }
    }
}

/// All readers.
pub(crate) fn targets() -> Vec<Target> {
    let callers = [messages::targets(), webhooks::targets()];
    let files = [texts::targets(), files::targets(), models::targets()];
    callers.into_iter().chain(files).flatten().collect()
}

/// FNV-1a: a short name of a text.
pub(crate) fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The fingerprint of an answer without numbers and what it quotes.
fn shape(text: &str) -> u64 {
    let mut is_quoted = false;
    let words = text.chars().filter(|c| {
        is_quoted ^= matches!(c, '`' | '"');
        !is_quoted && !c.is_ascii_digit()
    });
    // A list of a hundred mistakes is nothing new after a list of ten.
    fingerprint(&words.take(400).collect::<String>())
}
