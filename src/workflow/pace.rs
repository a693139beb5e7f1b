//! How much of an answer there is time for.
//!
//! A caller waits only so long. When its order comes up late, the parts that take long and
//! can be done without are left out, and the answer says so: first the explanation (graph
//! evidence, the smallest changes), then whatever is read from the graph, and then a person
//! decides. Risks, impacts and actions always follow: their work does not depend on the order
//! (some 0.1 ms), so they cannot be late. What was left out is in the recorded reasons, from
//! which replays leave out the same.

use crate::domain::decision::DegradedReason;
use crate::domain::time::Span;
use crate::workflow::judge_order::Stopwatch;

/// Time that a caller must have left for a part of the answer to be begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeBudgets {
    /// For reading the graph.
    pub graph: Span,
    /// For graph evidence and the search for the smallest changes.
    pub explanation: Span,
}

/// What an answer was given without; each implies those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// It is whole.
    #[default]
    Nothing,
    /// Graph evidence and the smallest changes.
    Explanation,
    /// Everything that is read from the graph.
    Graph,
}

/// How much time an answer may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// As long as it takes.
    #[default]
    Unhurried,
    /// With the same left out as before.
    AsBefore(LeftOut),
    /// Until an instant.
    Until(Due),
}

/// When an answer is due, and until when its parts are begun; nanoseconds of the stopwatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    answer: u64,
    graph: u64,
    explanation: u64,
}

impl TimeBudgets {
    /// The pace of an order whose caller waits for so long from now on; `None` waits for ever.
    pub fn pace(&self, left: Option<Span>, nanos: Stopwatch) -> Pace {
        let Some(left) = left else { return Pace::Unhurried };
        let answer = nanos().saturating_add(nanos_of(left));
        let before = |budget| answer.saturating_sub(nanos_of(budget));
        let (graph, explanation) = (before(self.graph), before(self.explanation));
        Pace::Until(Due { answer, graph, explanation })
    }
}

impl Pace {
    /// True when nobody waits for the answer any more.
    pub fn is_over(&self, nanos: Stopwatch) -> bool {
        match self {
            Self::Unhurried | Self::AsBefore(_) => false,
            Self::Until(due) => due.answer <= nanos(),
        }
    }

    /// True when the graph is not to be read.
    pub fn leaves_out_graph(&self, nanos: Stopwatch) -> bool {
        match self {
            Self::Unhurried => false,
            Self::AsBefore(left_out) => *left_out == LeftOut::Graph,
            Self::Until(due) => due.graph <= nanos(),
        }
    }

    /// True when the explanation is not to be made.
    pub fn leaves_out_explanation(&self, nanos: Stopwatch) -> bool {
        match self {
            Self::Unhurried => false,
            Self::AsBefore(left_out) => LeftOut::Explanation <= *left_out,
            Self::Until(due) => due.explanation <= nanos(),
        }
    }
}

impl LeftOut {
    /// What a recorded answer was given without.
    pub fn of(reasons: &[DegradedReason]) -> Self {
        if reasons.contains(&DegradedReason::GraphLate) {
            Self::Graph
        } else if reasons.contains(&DegradedReason::ExplanationLate) {
            Self::Explanation
        } else {
            Self::Nothing
        }
    }

    /// How an answer tells it.
    pub fn reason(self) -> Option<DegradedReason> {
        match self {
            Self::Nothing => None,
            Self::Explanation => Some(DegradedReason::ExplanationLate),
            Self::Graph => Some(DegradedReason::GraphLate),
        }
    }
}

fn nanos_of(span: Span) -> u64 {
    u64::try_from(span.0).unwrap_or_default().saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_left_out_as_time_runs_out() {
        let budgets = TimeBudgets { graph: Span(2), explanation: Span(5) };
        // Ten microseconds from nanosecond 0 on: parts are begun until 5 and 8 of them.
        let pace = budgets.pace(Some(Span(10)), || 0);
        let seen = |nanos| {
            (pace.leaves_out_explanation(nanos), pace.leaves_out_graph(nanos), pace.is_over(nanos))
        };
        assert_eq!(seen(|| 4_999), (false, false, false));
        assert_eq!(seen(|| 5_000), (true, false, false));
        assert_eq!(seen(|| 8_000), (true, true, false));
        assert_eq!(seen(|| 10_000), (true, true, true));
        assert!(budgets.pace(Some(Span(0)), || 7).is_over(|| 7));
        assert_eq!(budgets.pace(None, || 7), Pace::Unhurried);
        assert!(!Pace::Unhurried.leaves_out_explanation(|| u64::MAX));
    }

    #[test]
    fn what_was_left_out_is_read_back_from_the_reasons() {
        for left_out in [LeftOut::Nothing, LeftOut::Explanation, LeftOut::Graph] {
            let reasons: Vec<_> = left_out.reason().into_iter().collect();
            assert_eq!(LeftOut::of(&reasons), left_out);
            let pace = Pace::AsBefore(left_out);
            assert_eq!(pace.leaves_out_explanation(|| 0), left_out != LeftOut::Nothing);
            assert_eq!(pace.leaves_out_graph(|| 0), left_out == LeftOut::Graph);
        }
    }
}
