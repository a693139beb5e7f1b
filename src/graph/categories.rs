//! How the orders that share a value of a category ended, by time.
//!
//! The statistics behind target encoding, read as of an instant: an order sees only
//! verdicts that were known when it came, so none of them holds its own truth.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::domain::category::{Category, CountryOf};
use crate::domain::time::Timestamp;
use crate::graph::history::Window;
use crate::graph::hub_log::count_until;
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::label_log::{KnownLabels, LabelLog, Truth};
use crate::graph::settings::{CATEGORY_ATTRIBUTES_MAX, VALUES_PER_CATEGORY_MAX};

/// Every value of every category that the retained orders have.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct CategoryTable {
    countries: [Values; CountryOf::ALL.len()],
    attributes: IndexMap<Box<str>, Values, FxBuildHasher>,
    logs: Vec<ValueLog>,
    /// Places in `logs` whose value was forgotten.
    free: Vec<u32>,
    /// Words beyond [`VALUES_PER_CATEGORY_MAX`], which count together.
    pub(super) n_shared: u64,
    /// Words of attributes beyond [`CATEGORY_ATTRIBUTES_MAX`].
    pub(super) n_left_out: u64,
}

/// Places of the values of one category.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Values {
    places: IndexMap<Box<str>, u32, FxBuildHasher>,
    /// The place that values share once there are [`VALUES_PER_CATEGORY_MAX`] others.
    rest: Option<u32>,
    /// Every order that has the category, whatever its value.
    orders: Vec<Timestamp>,
}

/// What is remembered about one value.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct ValueLog {
    orders: Vec<Timestamp>,
    /// Verdicts by head slot.
    labels: Vec<LabelLog>,
}

/// The orders that share a value of a category, as they were known at an instant.
#[derive(Clone, Copy, Debug)]
pub struct CategoryHistory<'a> {
    values: Option<&'a Values>,
    log: Option<&'a ValueLog>,
    horizon: Timestamp,
    as_of: Timestamp,
}

impl KnowledgeGraph {
    /// The past of the orders that share a value; empty when it was never seen.
    pub fn category_history(
        &self,
        category: Category<'_>,
        value: &str,
        as_of: Timestamp,
    ) -> CategoryHistory<'_> {
        let values = self.categories.values(category);
        let place = values.and_then(|values| values.place(value));
        let log = place.and_then(|place| self.categories.logs.get(place as usize));
        CategoryHistory { values, log, horizon: self.horizon(), as_of }
    }
}

impl CategoryHistory<'_> {
    /// Orders of a window that share the value; of those that the retention keeps.
    pub fn n_orders(&self, window: Window) -> u64 {
        self.log.map_or(0, |log| self.n_within(&log.orders, window))
    }

    /// Orders of a window with any value of the category.
    pub fn n_orders_of_all(&self, window: Window) -> u64 {
        self.values.map_or(0, |values| self.n_within(&values.orders, window))
    }

    /// Verdicts of a head that became known in a window.
    pub fn labels(&self, head: u8, window: Window) -> KnownLabels {
        let log = self.log.and_then(|log| log.labels.get(usize::from(head)));
        log.map(|log| log.known_in((self.horizon, self.as_of), window.span())).unwrap_or_default()
    }

    /// How many times lie in a window, which the retention cuts.
    fn n_within(&self, times: &[Timestamp], window: Window) -> u64 {
        let times = &times[..count_until(times, self.as_of)];
        let before = Timestamp(self.horizon.0.saturating_sub(1));
        let before = window.span().map_or(before, |span| before.max(self.as_of - span));
        (times.len() - count_until(times, before).min(times.len())) as u64
    }
}

impl CategoryTable {
    /// Adds an order to a value; gives the place where its verdicts go, if there is one.
    pub(super) fn place(
        &mut self,
        category: Category<'_>,
        value: &str,
        time: Timestamp,
    ) -> Option<u32> {
        let Self { countries, attributes, logs, free, n_shared, n_left_out } = self;
        let values = match category {
            Category::Country(of) => Some(&mut countries[of as usize]),
            Category::Attribute(name) => named(attributes, name),
        };
        let Some(values) = values else {
            *n_left_out += 1;
            return None;
        };
        insert_sorted(&mut values.orders, time);
        let known = values.place(value);
        let place = known.or_else(|| {
            let place = free.pop().or_else(|| u32::try_from(logs.len()).ok())?;
            if logs.len() <= place as usize {
                logs.push(ValueLog::default());
            }
            values.add(value, place);
            Some(place)
        })?;
        *n_shared += u64::from(values.rest == Some(place));
        insert_sorted(&mut logs[place as usize].orders, time);
        Some(place)
    }

    /// Adds a verdict of one head about an order of a place.
    pub(super) fn mark(&mut self, place: u32, head: u8, known_at: Timestamp, verdict: Truth) {
        let (labels, head) = (&mut self.logs[place as usize].labels, usize::from(head));
        if labels.len() <= head {
            labels.resize_with(head + 1, LabelLog::default);
        }
        labels[head].insert(known_at, verdict);
    }

    /// Forgets what is older than `horizon`; a value of which nothing is left is as new.
    pub(super) fn expire(&mut self, horizon: Timestamp) {
        self.logs.iter_mut().for_each(|log| log.expire(horizon));
        let Self { countries, attributes, logs, free, .. } = self;
        for values in countries.iter_mut().chain(attributes.values_mut()) {
            expire_sorted(&mut values.orders, horizon);
            values.places.retain(|_, place| {
                let log = &mut logs[*place as usize];
                if log.is_empty() {
                    *log = ValueLog::default();
                    free.push(*place);
                    return false;
                }
                true
            });
        }
    }

    /// Every value with its category and its place; the rest of a category has no word.
    pub(super) fn words(&self) -> impl Iterator<Item = (&str, Option<&str>, u32)> {
        self.named().flat_map(|(category, values)| {
            let words = values.places.iter().map(|(word, &place)| (Some(&**word), place));
            let rest = values.rest.map(|place| (None, place));
            words.chain(rest).map(move |(word, place)| (category, word, place))
        })
    }

    /// Orders and verdicts by head slot of a place, without what is older than `horizon`.
    pub(super) fn since(&self, place: u32, horizon: Timestamp) -> (Vec<Timestamp>, Vec<LabelLog>) {
        let log = &self.logs[place as usize];
        let orders = log.orders.iter().copied().filter(|&time| horizon <= time).collect();
        (orders, log.labels.iter().map(|labels| labels.since(horizon)).collect())
    }

    /// Times of the orders that have a category, by its name.
    pub(super) fn orders(&self) -> impl Iterator<Item = (&str, &[Timestamp])> {
        self.named().map(|(category, values)| (category, &*values.orders))
    }

    fn named(&self) -> impl Iterator<Item = (&str, &Values)> {
        let countries = CountryOf::ALL.iter().map(|of| of.as_str()).zip(&self.countries);
        countries.chain(self.attributes.iter().map(|(name, values)| (&**name, values)))
    }

    fn values(&self, category: Category<'_>) -> Option<&Values> {
        match category {
            Category::Country(of) => Some(&self.countries[of as usize]),
            Category::Attribute(name) => self.attributes.get(name),
        }
    }
}

impl Values {
    /// The place of a value; when there is no room for another, that of the rest.
    fn place(&self, value: &str) -> Option<u32> {
        let known = self.places.get(value).copied();
        known.or_else(|| self.rest.filter(|_| self.is_full()))
    }

    fn add(&mut self, value: &str, place: u32) {
        if self.is_full() {
            self.rest = Some(place);
        } else {
            self.places.insert(value.into(), place);
        }
    }

    fn is_full(&self) -> bool {
        VALUES_PER_CATEGORY_MAX <= self.places.len()
    }
}

impl ValueLog {
    fn expire(&mut self, horizon: Timestamp) {
        expire_sorted(&mut self.orders, horizon);
        self.labels.iter_mut().for_each(|log| log.expire(horizon));
    }

    /// True when neither an order nor a verdict is left.
    fn is_empty(&self) -> bool {
        self.orders.is_empty() && self.labels.iter().all(LabelLog::is_empty)
    }
}

/// The values of an attribute, made room for.
fn named<'a>(
    attributes: &'a mut IndexMap<Box<str>, Values, FxBuildHasher>,
    name: &str,
) -> Option<&'a mut Values> {
    if !attributes.contains_key(name) {
        if CATEGORY_ATTRIBUTES_MAX <= attributes.len() {
            return None;
        }
        attributes.insert(name.into(), Values::default());
    }
    attributes.get_mut(name)
}

fn insert_sorted(times: &mut Vec<Timestamp>, time: Timestamp) {
    times.insert(count_until(times, time), time);
}

fn expire_sorted(times: &mut Vec<Timestamp>, horizon: Timestamp) {
    let n = times.partition_point(|&time| time < horizon);
    times.drain(..n);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::event::{Event, Fact, Label};
    use crate::domain::head::RiskType;
    use crate::domain::order::{AttributeValue, Order, OrderKey};
    use crate::domain::time::Span;
    use crate::graph::settings::GraphSettings;

    const REFERRER: Category<'static> = Category::Attribute("referrer");

    fn at(hour: i64) -> Timestamp {
        Timestamp(Span::hours(hour).0)
    }

    fn event(hour: i64, fact: Fact) -> Event {
        Event { event_id: "e".into(), event_time: at(hour), ingest_time: None, fact }
    }

    fn key(id: usize) -> OrderKey {
        OrderKey { channel: "web".into(), order_id: id.to_string().into(), revision: 0 }
    }

    fn placed(hour: i64, id: usize, word: &str) -> Event {
        let mut order = Order::new(key(id));
        order.attributes.insert("referrer".into(), AttributeValue::Category(word.into()));
        order.countries.shipping = Some("NL".into());
        event(hour, Fact::OrderPlaced(order))
    }

    fn judged(hour: i64, id: usize, value: f64) -> Event {
        let head = RiskType::PaymentFraud.head();
        let label = Label { order: key(id), head, value, matures_at: None, concerns: Vec::new() };
        event(hour, Fact::Label(label))
    }

    fn graph(settings: GraphSettings, events: &[Event]) -> KnowledgeGraph {
        let mut graph = KnowledgeGraph::new(settings);
        for event in events {
            graph.apply(event);
        }
        graph
    }

    /// Orders and verdicts of a value, ever.
    fn ever(
        graph: &KnowledgeGraph,
        category: Category<'_>,
        word: &str,
        hour: i64,
    ) -> (u64, KnownLabels) {
        let past = graph.category_history(category, word, at(hour));
        (past.n_orders(Window::Ever), past.labels(0, Window::Ever))
    }

    fn known(n_bad: u64, n_known: u64) -> KnownLabels {
        KnownLabels { n_bad, n_known }
    }

    #[test]
    fn a_truth_counts_from_when_it_became_known_for_every_category_of_its_order() {
        let events = [placed(0, 1, "ads"), placed(1, 2, "direct"), judged(5, 1, 1.0)];
        let graph = graph(GraphSettings::default(), &events);
        let shipping = Category::Country(CountryOf::Shipping);
        assert_eq!(ever(&graph, REFERRER, "ads", 4), (1, known(0, 0)));
        assert_eq!(ever(&graph, REFERRER, "ads", 5), (1, known(1, 1)));
        assert_eq!(ever(&graph, REFERRER, "direct", 5), (1, known(0, 0)));
        assert_eq!(ever(&graph, shipping, "NL", 5), (2, known(1, 1)));
        assert_eq!(ever(&graph, Category::Country(CountryOf::Ip), "NL", 5), (0, known(0, 0)));
        assert_eq!(ever(&graph, Category::Attribute("other"), "ads", 5), (0, known(0, 0)));
    }

    #[test]
    fn values_beyond_the_limit_count_together() {
        let mut events: Vec<Event> = (0..VALUES_PER_CATEGORY_MAX + 3)
            .map(|id| placed(0, id, &format!("word {id}")))
            .collect();
        events.push(judged(1, VALUES_PER_CATEGORY_MAX + 1, 1.0));
        let graph = graph(GraphSettings::default(), &events);
        assert_eq!(graph.counts().n_words_shared, 3);
        let last = format!("word {}", VALUES_PER_CATEGORY_MAX - 1);
        assert_eq!(ever(&graph, REFERRER, &last, 2), (1, known(0, 0)));
        for word in ["never seen", "word 4097"] {
            assert_eq!(ever(&graph, REFERRER, word, 2), (3, known(1, 1)), "{word}");
        }
    }

    #[test]
    fn attributes_beyond_the_limit_are_not_remembered() {
        let mut order = Order::new(key(1));
        for n in 0..=CATEGORY_ATTRIBUTES_MAX {
            let word = AttributeValue::Category("a".into());
            order.attributes.insert(format!("{n:03}").into(), word);
        }
        let graph = graph(GraphSettings::default(), &[event(0, Fact::OrderPlaced(order))]);
        let n_orders = |n: usize| ever(&graph, Category::Attribute(&format!("{n:03}")), "a", 0).0;
        assert_eq!(n_orders(CATEGORY_ATTRIBUTES_MAX - 1), 1);
        assert_eq!(n_orders(CATEGORY_ATTRIBUTES_MAX), 0);
        assert_eq!(graph.counts().n_words_left_out, 1);
    }

    #[test]
    fn a_value_that_nobody_had_for_the_retention_gives_its_place_to_another() {
        let settings = GraphSettings { retention: Span::days(8), ..GraphSettings::default() };
        let mut events = vec![placed(0, 0, "gone"), judged(1, 0, 1.0)];
        for (day, hour) in (0..30).zip((0..).step_by(24)) {
            events.push(placed(hour, 1 + 2 * day, "steady"));
            events.push(placed(hour, 2 + 2 * day, &format!("of day {day}")));
        }
        events.sort_by_key(|event| event.event_time);
        let graph = graph(settings, &events);
        assert_eq!(ever(&graph, REFERRER, "gone", 24 * 29), (0, known(0, 0)));
        assert!((8..=10).contains(&ever(&graph, REFERRER, "steady", 24 * 29).0));
        assert_eq!(ever(&graph, REFERRER, "of day 29", 24 * 29), (1, known(0, 0)));
        assert!(graph.categories.logs.len() <= 14, "{}", graph.categories.logs.len());
    }

    proptest! {
        #[test]
        fn reads_equal_a_scan_whatever_the_order_of_telling(
            orders in prop::collection::vec((0_i64..900, 0_u8..4, 0_i64..99, any::<bool>()), 0..60),
            rotate in any::<prop::sample::Index>(), hour in 0_i64..1_000,
        ) {
            let mut events = Vec::new();
            for (id, &(hour, word, delay, is_bad)) in orders.iter().enumerate() {
                events.push(placed(hour, id, &word.to_string()));
                events.push(judged(hour + delay, id, f64::from(u8::from(is_bad))));
            }
            let start = rotate.index(events.len().max(1));
            events.rotate_left(start);
            events.reverse();
            let graph = graph(GraphSettings::default(), &events);
            for word in 0_u8..4 {
                let past = graph.category_history(REFERRER, &word.to_string(), at(hour));
                for window in [Window::Month, Window::Ever] {
                    let start = window.span().map_or(i64::MIN, |span| (at(hour) - span).0);
                    let is_in = |time: i64| start < at(time).0 && time <= hour;
                    let mine = || orders.iter().filter(|order| order.1 == word);
                    let n_orders = mine().filter(|order| is_in(order.0)).count();
                    let known_ones = || mine().filter(|order| is_in(order.0 + order.2));
                    let n_bad = known_ones().filter(|order| order.3).count();
                    prop_assert_eq!(past.n_orders(window), n_orders as u64);
                    let n_of_all = orders.iter().filter(|order| is_in(order.0)).count();
                    prop_assert_eq!(past.n_orders_of_all(window), n_of_all as u64);
                    let expected = known(n_bad as u64, known_ones().count() as u64);
                    prop_assert_eq!(past.labels(0, window), expected);
                }
            }
        }
    }
}
