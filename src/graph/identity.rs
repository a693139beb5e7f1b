//! Identity: which accounts are one consumer's, by strong things they share.
//!
//! Links are worked out when they are read and nothing of them is stored: a link is
//! gone once its evidence is. Strong are a phone, a payment instrument, and a device
//! together with a home; a network, an address, an e-mail or a device alone links
//! nobody, and what many accounts share is nobody's own. Rings are another thing:
//! accounts that may work together, whoever they are.
//!
//! The confidence is that at least one of the shared carriers tells the truth, as if
//! they were independent (noisy-or; Pearl, Probabilistic Reasoning in Intelligent
//! Systems, 1988, 4.3). The weights are chosen, not learned; `orderlens evaluate
//! --truth` counts how often the links are right.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::identity::{Identity, IdentityEvidence};
use crate::domain::order::Order;
use crate::domain::time::Timestamp;
use crate::graph::history::{History, Window};
use crate::graph::knowledge::{KnowledgeGraph, NodeIdx};
use crate::graph::label_log::KnownLabels;
use crate::graph::pair_read::PairSeen;

/// Most links of one account; those of less confidence are left out.
pub const IDENTITY_LINKS_MAX: usize = 64;
/// Least confidence of a link.
pub const IDENTITY_CONFIDENCE_MIN: f64 = 0.9;
/// Most phones, cards, devices or addresses of one account that are looked at.
const OWNED_MAX: usize = 8;
/// Fewest orders from a device that make it an account's own: a thief of accounts, or a
/// friend who lends a phone, is seen once.
const DEVICE_ORDERS_MIN: u64 = 2;
/// An address with more accounts than this is nobody's home.
const HOME_ACCOUNTS_MAX: u64 = 10;
/// Share of its weight that a carrier keeps when something speaks against it: one alone is
/// then too little for a link, two of different kinds are enough.
const DOUBTED_SHARE: f64 = 0.75;

/// What can say by itself that two accounts are one consumer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// A phone number.
    Phone,
    /// A card, wallet or bank account.
    PaymentInstrument,
    /// A device together with a home that both have ordered to; it tells by itself when
    /// both use it again.
    DeviceAtHome,
}

/// Something that two accounts share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedCarrier {
    /// What it says.
    pub carrier: Carrier,
    /// The phone or payment instrument; the device, then the address.
    pub entities: Vec<NodeIdx>,
    /// Orders of the other account with the first of them.
    pub n_orders: u64,
    /// The first of these orders, as far as the retention reaches.
    pub first_seen: Timestamp,
    /// The last of them.
    pub last_seen: Timestamp,
}

/// Another account of the same consumer.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityLink {
    /// The other account.
    pub account: NodeIdx,
    /// In [[`IDENTITY_CONFIDENCE_MIN`], 1].
    pub confidence: f64,
    /// Why: never empty.
    pub shared: Vec<SharedCarrier>,
}

/// What the other accounts of a consumer add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityTotals {
    /// Other accounts, at most [`IDENTITY_LINKS_MAX`].
    pub n_accounts: u64,
    /// When the oldest of them was opened or first seen.
    pub oldest: Option<Timestamp>,
    /// Their verdicts so far by head slot.
    pub labels: Vec<KnownLabels>,
}

/// An account as its links are looked for.
struct Seeker<'a> {
    graph: &'a KnowledgeGraph,
    as_of: Timestamp,
    account: Option<NodeIdx>,
    past: History<'a>,
    /// An order that is being judged: what it names is the account's too.
    order: Option<&'a Order>,
}

impl Carrier {
    /// Kind of the first of its entities.
    fn kind(self) -> EntityKind {
        match self {
            Self::Phone => EntityKind::Phone,
            Self::PaymentInstrument => EntityKind::PaymentInstrument,
            Self::DeviceAtHome => EntityKind::Device,
        }
    }

    /// Chance that accounts sharing it are one consumer's when nothing speaks against it.
    fn weight(self) -> f64 {
        match self {
            Self::Phone => 0.98,
            Self::PaymentInstrument | Self::DeviceAtHome => 0.95,
        }
    }

    /// With more accounts than this it says nothing: a number can be that of a shop. Who
    /// farms accounts registers dozens under each phone, and knows no other way.
    fn accounts_max(self) -> u64 {
        match self {
            Self::Phone => 64,
            Self::PaymentInstrument => 4,
            Self::DeviceAtHome => 8,
        }
    }
}

impl KnowledgeGraph {
    /// Other accounts of an account's consumer, most confident first, as known at `as_of`.
    ///
    /// An order that is being judged adds the phone, card, device and address it names.
    pub fn identity_links(
        &self,
        account: &EntityRef,
        order: Option<&Order>,
        as_of: Timestamp,
    ) -> Vec<IdentityLink> {
        let past = self.history_of(account, as_of);
        let seeker = Seeker { graph: self, as_of, account: self.find(account), past, order };
        seeker.links()
    }

    /// The same links for people to read, without an order.
    pub fn identities(&self, account: &EntityRef, as_of: Timestamp) -> Vec<Identity> {
        let entity = |node: NodeIdx| self.entity(node).cloned();
        let evidence = |shared: SharedCarrier| IdentityEvidence {
            carriers: shared.entities.into_iter().filter_map(entity).collect(),
            n_orders: shared.n_orders,
            first_seen: shared.first_seen,
            last_seen: shared.last_seen,
        };
        let links = self.identity_links(account, None, as_of).into_iter();
        links
            .filter_map(|link| {
                Some(Identity {
                    account: account.clone(),
                    other: entity(link.account)?,
                    confidence: link.confidence,
                    evidence: link.shared.into_iter().map(evidence).collect(),
                })
            })
            .collect()
    }

    /// What the other accounts of an account's consumer add up to.
    pub fn identity_totals(
        &self,
        account: &EntityRef,
        order: Option<&Order>,
        as_of: Timestamp,
    ) -> IdentityTotals {
        let labels = vec![KnownLabels::default(); self.heads.len()];
        let mut totals = IdentityTotals { labels, ..IdentityTotals::default() };
        for link in self.identity_links(account, order, as_of) {
            let Some(past) = self.history(link.account, as_of) else { continue };
            totals.n_accounts += 1;
            totals.oldest = totals.oldest.into_iter().chain(past.opened()).min();
            for (head, sum) in (0_u8..).zip(&mut totals.labels) {
                let known = past.labels(head, Window::Ever);
                sum.n_bad += known.n_bad;
                sum.n_known += known.n_known;
            }
        }
        totals
    }
}

impl Seeker<'_> {
    fn links(&self) -> Vec<IdentityLink> {
        let mut shared: BTreeMap<NodeIdx, Vec<SharedCarrier>> = BTreeMap::new();
        for carrier in [Carrier::Phone, Carrier::PaymentInstrument] {
            self.find_single(carrier, &mut shared);
        }
        self.find_devices(&mut shared);
        let mut links: Vec<IdentityLink> = shared
            .into_iter()
            .map(|(account, shared)| {
                let confidence = self.confidence(account, &shared);
                IdentityLink { account, confidence, shared }
            })
            .filter(|link| IDENTITY_CONFIDENCE_MIN <= link.confidence)
            .collect();
        let entity = |link: &IdentityLink| self.graph.entity(link.account);
        links.sort_by(|one, other| {
            other.confidence.total_cmp(&one.confidence).then(entity(one).cmp(&entity(other)))
        });
        links.truncate(IDENTITY_LINKS_MAX);
        links
    }

    /// Accounts with the same phone or the same payment instrument.
    fn find_single(&self, carrier: Carrier, shared: &mut BTreeMap<NodeIdx, Vec<SharedCarrier>>) {
        for node in self.own(carrier.kind()) {
            for (other, met) in self.others_at(node, carrier.accounts_max()) {
                let found = self.shared(carrier, vec![node], met, other);
                shared.entry(other).or_default().push(found);
            }
        }
    }

    /// Accounts with the same device and the same home.
    fn find_devices(&self, shared: &mut BTreeMap<NodeIdx, Vec<SharedCarrier>>) {
        let carrier = Carrier::DeviceAtHome;
        let homes = self.own(EntityKind::Address);
        for device in self.own(EntityKind::Device) {
            for (other, met) in self.others_at(device, carrier.accounts_max()) {
                let past = self.graph.history(other, self.as_of);
                let is_home = |&&home: &&NodeIdx| {
                    let met = past.as_ref().and_then(|it| it.pair(home, EntityKind::Address));
                    let has_been = met.is_some();
                    has_been && self.n_accounts(home) <= HOME_ACCOUNTS_MAX
                };
                if let Some(&home) = homes.iter().find(is_home) {
                    let found = self.shared(carrier, vec![device, home], met, other);
                    shared.entry(other).or_default().push(found);
                }
            }
        }
    }

    /// Entities of a kind that are the account's, those of the judged order first.
    fn own(&self, kind: EntityKind) -> Vec<NodeIdx> {
        let named = self.order.and_then(|order| order.entity(kind));
        let mut own: Vec<NodeIdx> = named.and_then(|it| self.graph.find(it)).into_iter().collect();
        for node in self.past.recent(kind, Window::Ever, OWNED_MAX) {
            if !own.contains(&node) {
                own.push(node);
            }
        }
        own
    }

    /// Other accounts at an entity; none when there are too many for it to be anybody's.
    fn others_at(&self, node: NodeIdx, accounts_max: u64) -> Vec<(NodeIdx, PairSeen)> {
        let Some(past) = self.graph.history(node, self.as_of) else { return Vec::new() };
        let others = past.few_accounts(accounts_max).into_iter();
        others
            .filter(|&other| Some(other) != self.account)
            .filter_map(|other| Some((other, past.pair(other, EntityKind::Account)?)))
            .collect()
    }

    fn shared(
        &self,
        carrier: Carrier,
        entities: Vec<NodeIdx>,
        met: PairSeen,
        other: NodeIdx,
    ) -> SharedCarrier {
        let past = self.graph.history(entities[0], self.as_of);
        let first_met = past.and_then(|past| past.first_met(other, EntityKind::Account));
        let PairSeen { n_orders, last_seen } = met;
        let first_seen = first_met.unwrap_or(last_seen);
        SharedCarrier { carrier, entities, n_orders, first_seen, last_seen }
    }

    /// 1 − Π (1 − weight) over what is shared; of each doubted kind once, since what casts
    /// doubt on one card or device does so on all of them.
    fn confidence(&self, other: NodeIdx, shared: &[SharedCarrier]) -> f64 {
        let has_phone = shared.iter().any(|found| found.carrier == Carrier::Phone);
        let has_other_phones = OnceCell::new();
        let is_doubted = |found: &&SharedCarrier| match found.carrier {
            Carrier::Phone => false,
            // People pay for each other.
            Carrier::PaymentInstrument => {
                !has_phone && *has_other_phones.get_or_init(|| self.has_other_phones(other))
            }
            Carrier::DeviceAtHome => {
                self.n_own_orders(found.entities[0]).min(found.n_orders) < DEVICE_ORDERS_MIN
            }
        };
        let (doubted, sure): (Vec<_>, Vec<_>) = shared.iter().partition(is_doubted);
        let doubted: BTreeSet<Carrier> = doubted.iter().map(|found| found.carrier).collect();
        let left_of_sure: f64 = sure.iter().map(|found| 1.0 - found.carrier.weight()).product();
        let left_of_doubted = doubted.iter().map(|carrier| 1.0 - DOUBTED_SHARE * carrier.weight());
        1.0 - left_of_sure * left_of_doubted.product::<f64>()
    }

    /// True when both accounts have phones and none in common.
    fn has_other_phones(&self, other: NodeIdx) -> bool {
        let own = self.own(EntityKind::Phone);
        let past = self.graph.history(other, self.as_of);
        let theirs = past.map(|past| past.recent(EntityKind::Phone, Window::Ever, OWNED_MAX));
        let theirs = theirs.unwrap_or_default();
        !own.is_empty() && !theirs.is_empty() && !theirs.iter().any(|phone| own.contains(phone))
    }

    /// Orders of the account from a device, with the one that is being judged.
    fn n_own_orders(&self, device: NodeIdx) -> u64 {
        let named = self.order.and_then(|order| order.entity(EntityKind::Device));
        let is_named = named.and_then(|it| self.graph.find(it)) == Some(device);
        let pair = self.past.pair(device, EntityKind::Device);
        pair.map_or(0, |pair| pair.n_orders) + u64::from(is_named)
    }

    fn n_accounts(&self, node: NodeIdx) -> u64 {
        let past = self.graph.history(node, self.as_of);
        past.map_or(0, |past| past.n_distinct(EntityKind::Account, Window::Ever))
    }
}
