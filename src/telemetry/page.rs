//! Writes families of metrics: name, help, and one line per set of labels.

use std::borrow::Cow;
use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;

use crate::domain::histogram::Histogram;

/// Labels of a line.
pub(super) type Labels<'a> = Vec<(&'static str, Cow<'a, str>)>;

/// No example: those of calls are written by [`crate::telemetry::handling`].
const NONE: Option<&Exemplar<NoLabelSet, f64>> = None;

/// Name and help of a family.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
}

/// A family by its name and help.
pub(super) const fn family(name: &'static str, help: &'static str) -> Family {
    Family { name, help }
}

/// What is written.
#[derive(Debug)]
pub(super) struct Page<'a>(pub(super) DescriptorEncoder<'a>);

impl Page<'_> {
    /// Counts that only grow until the process ends.
    pub(super) fn counters<'l>(
        &mut self,
        family: Family,
        lines: impl IntoIterator<Item = (Labels<'l>, u64)>,
    ) -> fmt::Result {
        let mut metric = self.begin(family, MetricType::Counter)?;
        for (labels, n) in lines {
            metric.encode_family(&labels)?.encode_counter(&n, NONE)?;
        }
        Ok(())
    }

    /// One count.
    pub(super) fn counter(&mut self, family: Family, n: u64) -> fmt::Result {
        self.begin(family, MetricType::Counter)?.encode_counter(&n, NONE)
    }

    /// Values that go up and down; those that are not known are left out.
    pub(super) fn gauges<'l>(
        &mut self,
        family: Family,
        lines: impl IntoIterator<Item = (Labels<'l>, Option<f64>)>,
    ) -> fmt::Result {
        let mut metric = self.begin(family, MetricType::Gauge)?;
        for (labels, value) in lines {
            let Some(value) = value else { continue };
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    /// One value; nothing when it is not known.
    pub(super) fn gauge(&mut self, family: Family, value: Option<f64>) -> fmt::Result {
        let mut metric = self.begin(family, MetricType::Gauge)?;
        value.map_or(Ok(()), |value| metric.encode_gauge(&value))
    }

    /// Values in cells.
    pub(super) fn histograms<'l>(
        &mut self,
        family: Family,
        lines: impl IntoIterator<Item = (Labels<'l>, &'l Histogram)>,
    ) -> fmt::Result {
        let mut metric = self.begin(family, MetricType::Histogram)?;
        for (labels, histogram) in lines {
            let cells: Vec<_> = histogram.cells().collect();
            let (sum, n) = (histogram.sum(), histogram.n());
            let mut line = metric.encode_family(&labels)?;
            line.encode_histogram::<NoLabelSet>(sum, n, &cells, None)?;
        }
        Ok(())
    }

    /// What is as its labels say.
    pub(super) fn versions(&mut self, family: Family, labels: &Labels<'_>) -> fmt::Result {
        self.begin(family, MetricType::Info)?.encode_info(labels)
    }

    fn begin(&mut self, family: Family, kind: MetricType) -> Result<MetricEncoder<'_>, fmt::Error> {
        self.0.encode_descriptor(family.name, family.help, None, kind)
    }
}
