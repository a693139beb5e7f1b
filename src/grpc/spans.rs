//! Calls as spans, for whoever wants to follow one through several services.
//!
//! A span is told when its call has ended, from what was measured anyway: nothing is kept open,
//! and without somebody who listens nothing is made.

use std::fmt::Debug;
use std::time::Duration;

use tonic::codegen::http;

use crate::domain::decision::{Decision, DecisionId};
use crate::domain::time::Timestamp;

/// Takes calls that have ended.
pub trait SpanSink: Debug + Send + Sync {
    /// Takes one; it must not wait.
    fn ended(&self, span: &CallSpan);
}

/// A call that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct CallSpan {
    /// `orderlens.v1.DecisionService/ScoreOrder`.
    pub name: String,
    /// When it ended.
    pub ended: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Name of its code.
    pub code: &'static str,
    /// The span of the caller.
    pub parent: Option<ParentSpan>,
    /// What was judged.
    pub scored: Option<ScoredCall>,
}

/// The span of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParentSpan {
    /// 32 hex digits.
    pub trace_id: Box<str>,
    /// 16 hex digits.
    pub span_id: Box<str>,
    /// True when the caller keeps its span.
    pub is_sampled: bool,
}

/// The decision that a call made.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredCall {
    /// Its id.
    pub decision_id: DecisionId,
    /// How long each stage took, in their order, nanoseconds; empty when nobody listens.
    pub stages: Box<[(&'static str, u64)]>,
}

impl ScoredCall {
    /// Stages of a decision by name.
    pub fn stages_of(decision: &Decision) -> Box<[(&'static str, u64)]> {
        let stages = decision.stage_timings.iter();
        stages.map(|it| (it.stage.as_str(), it.nanos)).collect()
    }
}

/// The caller's span, from its `traceparent`.
///
/// Source: W3C Trace Context, section 3.2: `version-traceid-parentid-flags`.
pub fn parent_span(headers: &http::HeaderMap) -> Option<ParentSpan> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = text.split('-').skip(1);
    let (trace_id, span_id, flags) = (parts.next()?, parts.next()?, parts.next()?);
    if !is_id(trace_id, 32) || !is_id(span_id, 16) {
        return None;
    }
    let is_sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
    Some(ParentSpan { trace_id: trace_id.into(), span_id: span_id.into(), is_sampled })
}

/// Lower-case hex digits, not all of them 0.
fn is_id(text: &str, n_digits: usize) -> bool {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == n_digits && text.bytes().all(is_hex) && text.bytes().any(|byte| byte != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_parent_is_taken_over() {
        let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
        let parent =
            |is_sampled| ParentSpan { trace_id: trace.into(), span_id: span.into(), is_sampled };
        let cases = [
            (format!("00-{trace}-{span}-01"), Some(parent(true))),
            (format!("00-{trace}-{span}-00"), Some(parent(false))),
            (format!("00-{}-{span}-01", "0".repeat(32)), None),
            (format!("00-{trace}-{}-01", "0".repeat(16)), None),
            (format!("00-{}-{span}-01", trace.to_uppercase()), None),
            (format!("00-{trace}-{span}"), None),
            ("00-alice@example.com-1-01".to_owned(), None),
            ("junk".to_owned(), None),
        ];
        for (text, expected) in cases {
            let mut headers = http::HeaderMap::new();
            headers.insert("traceparent", text.parse().unwrap());
            assert_eq!(parent_span(&headers), expected, "{text}");
        }
        assert_eq!(parent_span(&http::HeaderMap::new()), None);
    }
}
