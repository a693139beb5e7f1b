//! How long calls take, with an example per cell that leads to a case.
//!
//! Written by hand: the library gives examples only to histograms of its own, which lock.

use std::fmt::{self, Write};

use crate::grpc::call_counts::{CallExample, MethodReport, SECONDS};

/// The family's name.
const NAME: &str = "grpc_server_handling_seconds";

/// Writes the family; methods that were never called are left out.
pub(super) fn write(text: &mut String, methods: &[MethodReport]) -> fmt::Result {
    writeln!(text, "# HELP {NAME} How long calls took, streams to their end.")?;
    writeln!(text, "# TYPE {NAME} histogram")?;
    methods.iter().filter(|it| 0 < it.started).try_for_each(|it| method(text, it))
}

fn method(text: &mut String, method: &MethodReport) -> fmt::Result {
    // Names of the contract: nothing in them has to be escaped.
    let labels = format!(
        "grpc_type=\"{}\",grpc_service=\"{}\",grpc_method=\"{}\"",
        method.kind.as_str(),
        method.service,
        method.method
    );
    writeln!(text, "{NAME}_sum{{{labels}}} {:?}", method.seconds)?;
    writeln!(text, "{NAME}_count{{{labels}}} {}", method.cells.iter().sum::<u64>())?;
    let mut n = 0;
    for (cell, in_cell) in method.cells.iter().enumerate() {
        n += in_cell;
        match SECONDS.get(cell) {
            Some(end) => write!(text, "{NAME}_bucket{{{labels},le=\"{end:?}\"}} {n}")?,
            None => write!(text, "{NAME}_bucket{{{labels},le=\"+Inf\"}} {n}")?,
        }
        if let Some((_, found)) = method.examples.iter().find(|(at, _)| *at == cell) {
            example(text, found)?;
        }
        text.push('\n');
    }
    Ok(())
}

/// Source: `OpenMetrics` 1.0, section Exemplars: ` # {labels} value timestamp`.
fn example(text: &mut String, example: &CallExample) -> fmt::Result {
    let trace = example.trace_id.as_ref().map(|id| format!("trace_id=\"{id}\""));
    let decision = example.decision_id.map(|id| format!("decision_id=\"{id}\""));
    let labels: Vec<_> = trace.into_iter().chain(decision).collect();
    if labels.is_empty() {
        return Ok(());
    }
    let at = example.at.0 as f64 / 1e6;
    write!(text, " # {{{}}} {:?} {at:?}", labels.join(","), example.seconds)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::decision::DecisionId;
    use crate::domain::time::Timestamp;
    use crate::grpc::call_names::CallKind;

    #[test]
    fn a_cell_counts_those_below_it_and_has_its_example() {
        let mut cells = vec![0; SECONDS.len() + 1];
        (cells[0], cells[3]) = (2, 1);
        let found = CallExample {
            seconds: 0.000_75,
            at: Timestamp(1_771_272_000_500_000),
            trace_id: Some("0af7651916cd43dd8448eb211c80319c".into()),
            decision_id: Some(DecisionId(Uuid::nil())),
        };
        let report = MethodReport {
            service: "s.V".into(),
            method: "M".into(),
            kind: CallKind::Unary,
            started: 3,
            handled: vec![("OK", 3)],
            cells,
            seconds: 0.001,
            received: 3,
            sent: 3,
            examples: vec![(3, found)],
        };
        let mut text = String::new();
        write(&mut text, &[report]).unwrap();
        let lines: Vec<_> = text.lines().collect();
        let labels = "grpc_type=\"unary\",grpc_service=\"s.V\",grpc_method=\"M\"";
        assert_eq!(lines[2], format!("{NAME}_sum{{{labels}}} 0.001"));
        assert_eq!(lines[4], format!("{NAME}_bucket{{{labels},le=\"0.0001\"}} 2"));
        assert_eq!(
            lines[7],
            format!(
                "{NAME}_bucket{{{labels},le=\"0.001\"}} 3 # \
                 {{trace_id=\"0af7651916cd43dd8448eb211c80319c\",\
                 decision_id=\"00000000-0000-0000-0000-000000000000\"}} 0.00075 1771272000.5"
            )
        );
        assert!(lines.last().unwrap().ends_with("le=\"+Inf\"} 3"));
    }
}
