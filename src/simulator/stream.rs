//! Writes a simulated stream and its truth to files.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::domain::entity::IdentityKey;
use crate::domain::time::Span;
use crate::simulator::settings::SimulationSettings;
use crate::simulator::truth::{write_truth, write_truth_heading};
use crate::simulator::world::Simulation;

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SimulationSummary {
    /// Always true: nothing here happened.
    pub is_synthetic: bool,
    /// Lines of the event file.
    pub n_events: u64,
    /// Orders among them.
    pub n_orders: u64,
    /// Orders per archetype.
    pub orders_by_archetype: BTreeMap<&'static str, u64>,
    /// Orders per risk head that truly are of that risk.
    pub positives_by_head: BTreeMap<Box<str>, u64>,
}

/// Writes events as JSON lines and the truth as CSV.
///
/// `progress` is told how many days are done.
///
/// # Errors
/// Those of the writers.
pub fn write_events(
    settings: SimulationSettings,
    identity: IdentityKey,
    events: &mut dyn Write,
    truth: &mut dyn Write,
    progress: &mut dyn FnMut(u64),
) -> Result<SimulationSummary, io::Error> {
    let (start, n_days) = (settings.start.start_of_day(), settings.days);
    let mut summary = SimulationSummary { is_synthetic: true, ..SimulationSummary::default() };
    let mut n_days_done = 0;
    write_truth_heading(truth)?;
    let mut line = Vec::with_capacity(4_096);
    for told in Simulation::new(settings, identity) {
        line.clear();
        serde_json::to_writer(&mut line, &told.event)?;
        line.push(b'\n');
        events.write_all(&line)?;
        summary.n_events += 1;
        let day = ((told.event.event_time - start).0 / Span::DAY.0).unsigned_abs();
        if n_days_done < day {
            n_days_done = day;
            progress(day);
        }
        let Some(row) = told.truth else { continue };
        write_truth(truth, &row)?;
        summary.n_orders += 1;
        *summary.orders_by_archetype.entry(row.archetype.as_str()).or_default() += 1;
        for (head, value) in row.labels {
            *summary.positives_by_head.entry(head.0).or_default() += u64::from(value);
        }
    }
    progress(u64::from(n_days));
    events.flush()?;
    truth.flush()?;
    Ok(summary)
}
