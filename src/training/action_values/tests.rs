//! Laws of the learner of action values.
