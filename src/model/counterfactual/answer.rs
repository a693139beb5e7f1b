//! What a search gives back.

/// How far a search got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Everything was looked at or shown to be too high: what is not listed does not exist.
    Complete,
    /// The work budget ended first: there may be smaller changes.
    Budget,
}

/// The changes found for one question.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Fewest levers, then least cost; the others differ from the first as far as they can.
    pub answers: Vec<Change>,
    /// What follows from an answer, and from an empty list.
    pub proof: Proof,
    /// Units of work spent.
    pub work: u64,
}

/// One way to reach the goal.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Lever and position of its setting, by lever; one to three.
    pub choices: Vec<Choice>,
    /// Sum of the settings' costs.
    pub cost: u32,
    /// Score after the change, steps.
    pub margin: i64,
    /// True when no change of fewer levers reaches the goal and none of the same levers is
    /// cheaper. For the first answer: none of as many levers is cheaper at all.
    pub is_proven_minimal: bool,
}

/// One lever's part of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Which lever.
    pub lever: usize,
    /// Position of the setting among the lever's.
    pub setting: usize,
}
