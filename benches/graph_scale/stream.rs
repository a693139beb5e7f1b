//! Orders of 45 days with seven Zipf-skewed entities, made one at a time.
//!
//! Ten million of them need not fit into memory beside the store.

use std::collections::VecDeque;

use orderlens::domain::entity::{EntityKey, EntityKind, EntityRef};
use orderlens::domain::event::{Event, Fact, Label};
use orderlens::domain::head::RiskType;
use orderlens::domain::money::{Currency, Money};
use orderlens::domain::order::{Order, OrderItem, OrderKey};
use orderlens::domain::time::{Span, Timestamp};
use orderlens::graph::knowledge::RING_KINDS;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Zipf};

/// Kind, how many there are per order, how skewed.
///
/// The busiest IP is part of about every tenth order: a hub of 100,000 edges from a
/// million orders on.
pub(crate) const KINDS: [(EntityKind, f64, f64); 7] = [
    (EntityKind::Account, 0.4, 0.6),
    (EntityKind::Device, 0.4, 0.6),
    (EntityKind::Ip, 0.2, 1.05),
    (EntityKind::Address, 0.3, 0.9),
    (EntityKind::Phone, 0.4, 0.6),
    (EntityKind::PaymentInstrument, 0.4, 0.6),
    (EntityKind::Merchant, 0.01, 1.1),
];
/// Share of the things of one's own that are used by their owner.
const OWN_SHARE: f64 = 0.95;
const LABEL_DELAY: Span = Span::days(7);
const SPAN: Span = Span::days(45);

/// A stream of `n` orders within 45 days, going on at the same pace.
pub(crate) struct Stream {
    rng: ChaCha8Rng,
    zipfs: [Zipf<f64>; KINDS.len()],
    skus: Zipf<f64>,
    step: f64,
    n_told: usize,
    /// Orders whose label is still to come, with its time.
    pending: VecDeque<(Timestamp, usize)>,
}

impl Stream {
    pub(crate) fn new(n: usize) -> Self {
        let zipf = |n: f64, skew| Zipf::new(n as u64, skew).expect("a valid skew");
        Self {
            rng: ChaCha8Rng::seed_from_u64(7),
            zipfs: KINDS.map(|(_, share, skew)| zipf((n as f64 * share).max(10.0), skew)),
            skus: zipf(2_000.0, 1.0),
            step: SPAN.0 as f64 / n as f64,
            n_told: 0,
            pending: VecDeque::new(),
        }
    }

    /// The next order and its time.
    pub(crate) fn order(&mut self) -> (Timestamp, Order) {
        let idx = self.n_told;
        self.n_told += 1;
        let time = Timestamp((self.step * idx as f64) as i64);
        self.pending.push_back((time + LABEL_DELAY, idx));
        let mut order = Order::new(order_key(idx));
        let rng = &mut self.rng;
        let account = self.zipfs[0].sample(rng) as u128;
        for ((kind, ..), zipf) in KINDS.iter().zip(&self.zipfs) {
            let is_own = RING_KINDS.contains(kind) && rng.gen_bool(OWN_SHARE);
            let drawn = zipf.sample(rng) as u128;
            let is_account = *kind == EntityKind::Account;
            let number = if is_own || is_account { account } else { drawn };
            let key = EntityKey::Hashed(number * 0x9E37_79B9_7F4A_7C15);
            order.entities.push(EntityRef { kind: *kind, key });
        }
        let minor_units = rng.gen_range(500..90_000);
        order.amount = Some(Money { currency: Currency::CNY, minor_units });
        for _ in 0..rng.gen_range(1..3) {
            let key = EntityKey::Plain((self.skus.sample(rng) as u64).to_string().into());
            let sku = EntityRef { kind: EntityKind::Sku, key };
            order.items.push(OrderItem { sku, quantity: 1, unit_price: order.amount });
        }
        (time, order)
    }

    /// A label that is due before the next order, 1 % of them bad.
    pub(crate) fn label(&mut self) -> Option<Event> {
        let now = Timestamp((self.step * self.n_told as f64) as i64);
        let (time, idx) = self.pending.pop_front_if(|(time, _)| *time <= now)?;
        let label = Label {
            order: order_key(idx),
            head: RiskType::PaymentFraud.head(),
            value: f64::from(u8::from(self.rng.gen_bool(0.01))),
            matures_at: None,
            concerns: Vec::new(),
        };
        Some(event(time, Fact::Label(label)))
    }
}

fn order_key(idx: usize) -> OrderKey {
    OrderKey { channel: "web".into(), order_id: idx.to_string().into(), revision: 0 }
}

pub(crate) fn event(event_time: Timestamp, fact: Fact) -> Event {
    Event { event_id: "".into(), event_time, ingest_time: None, fact }
}
