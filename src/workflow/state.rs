//! Everything that is folded from the journal: graph, indexes, active versions.
//!
//! The fold is the same at start-up, while serving and in a replay; two states
//! folded from the same prefix are equal to the byte.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::domain::confirmation::Confirmations;
use crate::domain::decision::DecisionId;
use crate::domain::entity::EntityRef;
use crate::domain::erasure::{Erasures, IdentifierErased};
use crate::domain::event::{Event, Fact};
use crate::domain::folded_order::{FoldedDecision, FoldedRecord};
use crate::domain::operators::{Operators, Recommended};
use crate::domain::order::{Order, OrderKey};
use crate::domain::pseudonym::{PseudonymLinked, Pseudonyms};
use crate::domain::record::{
    BackgroundActivated, Followed, GraphActivated, ReceivedEvent, Record, ScoreRequest,
};
use crate::domain::review_times::ReviewTimes;
use crate::domain::time::Timestamp;
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::settings::GraphSettings;
use crate::model::background::Background;
use crate::store::log::asked_bytes;
use crate::workflow::access_ledger::AccessLedger;
use crate::workflow::approved_orders::{ApprovedOrders, BackgroundRule};
use crate::workflow::experiment_book::ExperimentBook;
use crate::workflow::exploration_ledger::ExplorationLedger;
use crate::workflow::model_ledger::ModelLedger;
use crate::workflow::strategy_ledger::StrategyLedger;
use crate::workflow::told_fact::FactDigests;
use crate::workflow::undecided::{Placed, Shown, Undecided};

/// Room for a text that a digest is made of; most are shorter.
const DIGESTED_BYTES: usize = 512;

/// First 16 bytes of a BLAKE3 hash: names a text without keeping it.
pub type Digest = u128;

/// The state after a prefix of the journal.
#[derive(Debug, Serialize, Deserialize)]
pub struct State {
    /// Journal position of the last record folded; 0 before the first.
    pub position: u64,
    /// The knowledge graph.
    pub graph: KnowledgeGraph,
    /// The settings that it follows, as activated last; empty before the first activation,
    /// up to which it follows the default ones.
    pub graph_settings: Box<str>,
    /// Every strategy that was proposed or active, and which of them judge.
    pub strategies: StrategyLedger,
    /// Which bundle judges, and which ones did.
    pub models: ModelLedger,
    /// What is compared on real orders, and what followed.
    pub experiments: ExperimentBook,
    /// What releasing declined orders to learn put at risk, and how they ended.
    pub explorations: ExplorationLedger,
    /// The orders that contributions compare with; `None` before the first were gathered
    /// under the active bundle, which then compares with its own.
    pub background: Option<Background>,
    /// Of which the next background is made.
    pub approved: ApprovedOrders,
    /// How often people took what was recommended.
    pub confirmations: Confirmations,
    /// How operators choose.
    pub operators: Operators,
    /// How long they look at orders, and whether they are right.
    pub review_times: ReviewTimes,
    /// What people have not chosen about yet.
    pub undecided: Undecided,
    /// Who may do what, and the end of the audit log.
    pub access: AccessLedger,
    /// What was erased.
    pub erasures: Erasures,
    /// Who is known by another pseudonym than that of the identity secret of now.
    pub pseudonyms: Pseudonyms,
    /// How far the stream is executed that this state follows; `None` when it follows none.
    pub followed: Option<Followed>,
    requests: IndexMap<Digest, Entry, FxBuildHasher>,
    decisions: IndexMap<DecisionId, u64, FxBuildHasher>,
    orders: IndexMap<Digest, u64, FxBuildHasher>,
    events: IndexMap<Digest, Entry, FxBuildHasher>,
    notes: IndexMap<Digest, u64, FxBuildHasher>,
}

/// Where something with an id of the caller's was recorded, and what it said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Journal position.
    pub position: u64,
    /// Digest of the content.
    pub content: Digest,
}

impl State {
    /// The state before the first record.
    pub fn empty(rule: BackgroundRule) -> Self {
        Self {
            position: 0,
            graph: KnowledgeGraph::new(GraphSettings::default()),
            graph_settings: Box::default(),
            strategies: StrategyLedger::default(),
            models: ModelLedger::default(),
            experiments: ExperimentBook::default(),
            explorations: ExplorationLedger::default(),
            background: None,
            approved: ApprovedOrders::new(rule),
            confirmations: Confirmations::default(),
            operators: Operators::default(),
            review_times: ReviewTimes::default(),
            undecided: Undecided::default(),
            access: AccessLedger::default(),
            erasures: Erasures::default(),
            pseudonyms: Pseudonyms::default(),
            followed: None,
            requests: IndexMap::default(),
            decisions: IndexMap::default(),
            orders: IndexMap::default(),
            events: IndexMap::default(),
            notes: IndexMap::default(),
        }
    }

    /// A saved state, which goes on under the rule that is in force now.
    ///
    /// # Errors
    /// When the bytes are no state.
    pub fn read(bytes: &[u8], rule: BackgroundRule) -> Result<Self, postcard::Error> {
        let mut state: Self = postcard::from_bytes(bytes)?;
        state.approved.follow(rule);
        Ok(state)
    }

    /// Folds the record that follows [`State::position`].
    pub fn fold(&mut self, record: &Record) {
        self.position += 1;
        match record {
            Record::Event(received) => self.fold_event(received, FactDigests::of(received)),
            Record::Decision(scored) => {
                self.fold_order(&scored.request, &FoldedDecision::of(&scored.decision));
            }
            Record::StrategyProposed(_)
            | Record::StrategyApproved(_)
            | Record::StrategyActivated(_) => self.strategies.fold(record),
            Record::ModelActivated(activated) => {
                self.models.fold(activated, self.position);
                // Its ranks are those of the bundle before.
                self.background = None;
            }
            Record::BackgroundActivated(activated) => self.fold_background(activated),
            Record::GraphActivated(activated) => self.fold_graph(activated),
            Record::ExperimentStarted(started) => self.experiments.started(started),
            Record::ExperimentRamped(ramped) => self.experiments.ramped(ramped),
            Record::ExperimentEnded(ended) => self.experiments.ended(ended),
            Record::PersonChanged(changed) => self.access.changed(changed),
            Record::ApiKeyChanged(changed) => self.access.key_changed(changed),
            Record::IdentifierErased(erased) => self.fold_erasure(erased),
            Record::RotationStarted(started) => {
                self.pseudonyms.started(started, self.graph.n_known());
            }
            Record::PseudonymLinked(linked) => self.fold_link(linked),
            Record::Audited(entry) => self.access.audited(entry),
            Record::Noted(note) => {
                self.notes.insert(text_digest(&note.note_id), self.position);
            }
            Record::Followed(followed) => self.followed = Some(followed.clone()),
        }
    }

    /// The same for a record that was read for this.
    pub fn refold(&mut self, record: &FoldedRecord) {
        match record {
            FoldedRecord::Order(order) => {
                self.position += 1;
                self.fold_order(&order.request, &order.decision);
            }
            FoldedRecord::Other(record) => self.fold(record),
        }
    }

    /// The same for a fact whose digests are known.
    pub fn fold_told(&mut self, received: &ReceivedEvent, digests: FactDigests) {
        self.position += 1;
        self.fold_event(received, digests);
    }

    /// Where this request id was answered, if it was.
    pub fn answered(&self, request_id: &str) -> Option<Entry> {
        self.requests.get(&text_digest(request_id)).copied()
    }

    /// Journal position of a decision.
    pub fn decision_position(&self, id: DecisionId) -> Option<u64> {
        self.decisions.get(&id).copied()
    }

    /// Journal position of the newest decision about a revision of an order.
    pub fn order_position(&self, order: &OrderKey) -> Option<u64> {
        self.orders.get(&order_digest(order)).copied()
    }

    /// Where an event with this id was told, if it was.
    pub fn told(&self, event_id: &str) -> Option<Entry> {
        self.told_as(text_digest(event_id))
    }

    /// The same by the digest of the id.
    pub fn told_as(&self, id: Digest) -> Option<Entry> {
        self.events.get(&id).copied()
    }

    /// Journal position of the note with an id, if there is one.
    pub fn noted(&self, note_id: &str) -> Option<u64> {
        self.notes.get(&text_digest(note_id)).copied()
    }

    /// The accounts that are one ring once an order is placed, by kind and key; nobody's walk
    /// while no experiment asks for it.
    pub fn accounts_joined_by(&self, order: &Order, as_of: Timestamp) -> Vec<EntityRef> {
        self.graph.accounts_joined_by(order, as_of).into_iter().collect()
    }

    fn fold_background(&mut self, activated: &BackgroundActivated) {
        if *activated.model_hash == *self.models.active_hash() {
            self.approved.restart_count();
            let BackgroundActivated { name, n_features, ranks, .. } = activated;
            // Never written with rows that are none; if it were, the answers would replay
            // against the bundle's own.
            self.background = Background::new(name, *n_features as usize, ranks.clone()).ok();
        }
    }

    fn fold_erasure(&mut self, erased: &IdentifierErased) {
        let shown = erased.shown();
        self.access.audited(&erased.audited);
        self.erasures.add(self.position, erased);
        self.pseudonyms.forget(erased.all());
        for entity in erased.all() {
            self.experiments.erase(entity, &shown);
            self.explorations.erase(entity);
            self.graph.erase(entity, &shown);
        }
    }

    fn fold_link(&mut self, linked: &PseudonymLinked) {
        let PseudonymLinked { pseudonym, known_as, at: _ } = linked;
        self.pseudonyms.link(linked, self.graph.place_of(known_as));
        self.experiments.rename(pseudonym, known_as);
        self.explorations.rename(pseudonym, known_as);
        self.graph.unite(pseudonym, known_as);
    }

    fn fold_graph(&mut self, activated: &GraphActivated) {
        self.graph_settings = activated.settings.clone();
        // Never written with a text that does not read; if it were, the graph would go on as
        // it is, in every fold alike.
        if let Ok(settings) = GraphSettings::parse(&activated.settings) {
            self.graph.follow(settings);
        }
    }

    fn fold_event(&mut self, received: &ReceivedEvent, digests: FactDigests) {
        let event = &received.event;
        let entry = Entry { position: self.position, content: digests.content };
        self.events.insert(digests.id, entry);
        self.approved.told(&event.fact);
        self.explorations.told(event);
        self.review_times.told(event);
        self.experiments.told(event, received.received_time);
        if let Fact::Choice(choice) = &event.fact
            && let Some((order, shown)) = self.undecided.chose(choice.decision_id)
        {
            // The first choice about a decision: what is chosen later knows more than it.
            let Shown { actions, is_blind } = shown;
            if let Some(first) = actions.first() {
                self.operators.chose(choice, Recommended { first: *first, is_blind });
                self.review_times.chose(choice, order, *first);
            }
            // Who has not seen a recommendation does not take it.
            if !is_blind && !self.operators.is_rubber_stamp(&choice.operator_id) {
                self.confirmations.chose(&actions, choice.action);
            }
        }
        self.graph.apply_received(event, received.received_time);
    }

    fn fold_order(&mut self, request: &ScoreRequest, decision: &FoldedDecision<'_>) {
        let position = self.position;
        let entry = Entry { position, content: request_digest(request) };
        self.requests.insert(text_digest(&request.request_id), entry);
        self.decisions.insert(decision.decision_id, position);
        self.orders.insert(order_digest(&request.order.key), position);
        if decision.assignment.is_some() {
            let accounts = self.accounts_joined_by(&request.order, request.event_time);
            self.experiments.decided(request, decision, &accounts);
        }
        if let Some(drawn) = &decision.exploration {
            let accounts = self.accounts_joined_by(&request.order, request.event_time);
            let drawn = (&request.order.key, drawn);
            self.explorations.drew(drawn, &accounts, decision.received_time);
        }
        if *decision.model_hash == *self.models.active_hash() {
            self.approved.decided(decision);
        }
        let placed = Placed { at: request.event_time, amount: request.order.amount };
        self.undecided.decided(decision, placed);
        let id = placed_id(&request.order.key);
        let at = (&*id, request.event_time);
        self.graph.place_received(&request.order, at, decision.received_time);
    }
}

/// The fact that a judged order was placed.
pub fn placed_event(request: &ScoreRequest) -> Event {
    Event {
        event_id: placed_id(&request.order.key),
        event_time: request.event_time,
        ingest_time: None,
        fact: Fact::OrderPlaced(request.order.clone()),
    }
}

fn placed_id(order: &OrderKey) -> Box<str> {
    let OrderKey { channel, order_id, revision } = order;
    format!("order/{channel}/{order_id}/{revision}").into()
}

/// Digest of what a request asks; its id and arrival are not part of it.
pub fn request_digest(request: &ScoreRequest) -> Digest {
    bytes_digest(&asked_bytes(request))
}

/// The fields in which two requests differ, as dotted paths, sorted; none means equal digests.
pub fn differing_fields(first: &ScoreRequest, second: &ScoreRequest) -> Vec<Box<str>> {
    let (a, b): (&Order, &Order) = (&first.order, &second.order);
    let fields = [
        ("event_time", is_same(&first.event_time, &second.event_time)),
        ("explain_level", is_same(&first.max_contributions, &second.max_contributions)),
        ("max_actions", is_same(&first.max_actions, &second.max_actions)),
        ("order.account_created_at", is_same(&a.account_created_at, &b.account_created_at)),
        ("order.address_kind", is_same(&a.address_kind, &b.address_kind)),
        ("order.amount", is_same(&a.amount, &b.amount)),
        ("order.attributes", is_same(&a.attributes, &b.attributes)),
        ("order.countries", is_same(&a.countries, &b.countries)),
        ("order.device_distance_km", is_same(&a.device_distance_km, &b.device_distance_km)),
        ("order.discount", is_same(&a.discount, &b.discount)),
        ("order.entities", is_same(&a.entities, &b.entities)),
        ("order.items", is_same(&a.items, &b.items)),
        ("order.key", is_same(&a.key, &b.key)),
        ("order.payment_kind", is_same(&a.payment_kind, &b.payment_kind)),
    ];
    fields.iter().filter(|(_, same)| !same).map(|(name, _)| (*name).into()).collect()
}

/// Digest of what an event says; its id is not part of it.
pub fn event_digest(event: &Event) -> Digest {
    digest_of(&(event.event_time, &event.fact))
}

// As the digest sees it: −0 is not 0 for either.
fn is_same<T: Serialize>(a: &T, b: &T) -> bool {
    digest_of(a) == digest_of(b)
}

/// Over JSON, which names every field: postcard leaves out what `skip_serializing_if` skips
/// without a trace, so an amount without discount would look like a discount without amount.
fn digest_of(value: &impl Serialize) -> Digest {
    let mut text = Vec::with_capacity(DIGESTED_BYTES);
    // JSON cannot fail on our own types; a cut text would only weaken the duplicate check.
    drop(serde_json::to_writer(&mut text, value));
    bytes_digest(&text)
}

fn order_digest(order: &OrderKey) -> Digest {
    text_digest(&format!("{}\u{0}{}\u{0}{}", order.channel, order.order_id, order.revision))
}

pub(super) fn text_digest(text: &str) -> Digest {
    bytes_digest(text.as_bytes())
}

fn bytes_digest(bytes: &[u8]) -> Digest {
    let mut first = [0_u8; 16];
    first.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    Digest::from_be_bytes(first)
}
