//! A small shop for the tests of this folder: schema, model, orders.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

use crate::decision::fixtures::strategy;
use crate::decision::strategy::{ExplorationPolicy, Strategy};
use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::entity::{EntityKey, EntityKind, EntityRef};
use crate::domain::event::{Event, Fact, Label};
use crate::domain::feature::{CatalogSchema, FeatureSpec, OrderFields};
use crate::domain::head::{HeadId, HeadKind};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{AddressKind, Order, OrderItem, OrderKey, PaymentKind};
use crate::domain::record::{ModelActivated, ScoreRequest};
use crate::domain::strategy_version::{Signature, StrategyMistake};
use crate::domain::time::{Span, Timestamp};
use crate::feature::catalog::Catalog;
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::settings::GraphSettings;
use crate::model::bundle::Bundle;
use crate::training::bundle::{BundleParams, fit_bundle};
use crate::training::params::{ObliviousParams, ObliviousSettings};
use crate::training::set::{HeadTarget, TrainingSet};
use crate::workflow::judge_order::{ActiveStrategy, Judge};
use crate::workflow::strategy_shelf::StrategyReader;

/// Rows that the small model learns from.
const ROWS: usize = 600;

/// 2026-01-01 and this many minutes.
pub(crate) fn at(minute: i64) -> Timestamp {
    Timestamp(1_767_225_600_000_000) + Span(minute * 60_000_000)
}

pub(crate) fn head() -> HeadId {
    HeadId("payment_fraud".into())
}

pub(crate) fn schema() -> CatalogSchema {
    CatalogSchema {
        kinds: vec![EntityKind::Account, EntityKind::Device, EntityKind::Ip],
        label_heads: vec![head()],
        fields: OrderFields { amount: true, ..OrderFields::default() },
        ..CatalogSchema::default()
    }
}

/// A model that leans on what it reads from the graph; fitted once.
pub(crate) fn bundle() -> Arc<Bundle> {
    static BUNDLE: OnceLock<Arc<Bundle>> = OnceLock::new();
    BUNDLE.get_or_init(|| Arc::new(fit("1", specs()))).clone()
}

/// The same model in another version.
pub(crate) fn other_bundle() -> Arc<Bundle> {
    static BUNDLE: OnceLock<Arc<Bundle>> = OnceLock::new();
    BUNDLE.get_or_init(|| Arc::new(fit("2", specs()))).clone()
}

/// A model that leans on what an order tells itself: amount, discount, pieces, payment.
pub(crate) fn basket_bundle() -> Arc<Bundle> {
    static BUNDLE: OnceLock<Arc<Bundle>> = OnceLock::new();
    BUNDLE.get_or_init(|| Arc::new(fit_set("3", &basket_set()))).clone()
}

fn specs() -> Vec<FeatureSpec> {
    Catalog::new(&schema()).specs().to_vec()
}

fn fit(version: &str, specs: Vec<FeatureSpec>) -> Bundle {
    let mut dice = ChaCha8Rng::seed_from_u64(7);
    let features = Array2::from_shape_fn((ROWS, specs.len()), |_| dice.gen_range(0_u8..6).into());
    let graph_columns: Vec<usize> = (0..specs.len()).filter(|&at| specs[at].is_graph).collect();
    let values = features.rows().into_iter().map(|row| {
        let sum: f32 = graph_columns.iter().take(4).map(|&at| row[at]).sum();
        if sum + dice.gen_range(-3.0..3.0) < 10.0 { 0.0 } else { 1.0 }
    });
    let heads = vec![HeadTarget { id: head(), kind: HeadKind::Risk, values: values.collect() }];
    let minutes = 0..i64::try_from(ROWS).unwrap();
    let set = TrainingSet {
        features,
        specs,
        schema: schema(),
        times: minutes.map(at).collect(),
        weights: vec![1.0; ROWS],
        heads,
    };
    fit_set(version, &set)
}

/// Orders with baskets as the catalog sees them; large ones and those with many pieces are
/// bad, most of all when a wallet pays.
fn basket_set() -> TrainingSet {
    let schema = basket_schema();
    let catalog = basket_catalog(&schema);
    let mut dice = ChaCha8Rng::seed_from_u64(8);
    let mut graph = KnowledgeGraph::new(GraphSettings::default());
    let (mut cells, mut values) = (Vec::new(), Vec::new());
    for n in 0..u32::try_from(ROWS).unwrap() {
        let order = basket_order(n);
        catalog.extract(&graph, &order, at(n.into()), &mut cells);
        let amount = order.amount.map_or(0.0, Money::as_major).ln_1p();
        let n_pieces: u32 = order.items.iter().map(|item| item.quantity).sum();
        let is_wallet = order.payment_kind == Some(PaymentKind::Wallet);
        let weight = amount + 0.7 * f64::from(n_pieces) + if is_wallet { 2.5 } else { 0.0 };
        values.push(if weight + dice.gen_range(-1.0..1.0) < 8.5 { 0.0 } else { 1.0 });
        graph.apply(&event(format!("placed {n}"), at(n.into()), Fact::OrderPlaced(order)));
    }
    let specs = catalog.specs().to_vec();
    TrainingSet {
        features: Array2::from_shape_vec((ROWS, specs.len()), cells).unwrap(),
        specs,
        schema,
        times: (0..i64::try_from(ROWS).unwrap()).map(at).collect(),
        weights: vec![1.0; ROWS],
        heads: vec![HeadTarget { id: head(), kind: HeadKind::Risk, values }],
    }
}

/// What the order tells itself, and the past of its account and items: rows that other kinds
/// are given later do not change the model.
fn basket_catalog(schema: &CatalogSchema) -> Catalog {
    let all = Catalog::new(schema);
    let kinds = [EntityKind::Account, EntityKind::Sku];
    let is_kept = |spec: &&FeatureSpec| spec.entity.is_none_or(|kind| kinds.contains(&kind));
    let ids: Vec<Arc<str>> = all.specs().iter().filter(is_kept).map(|it| it.id.clone()).collect();
    all.select(&ids).unwrap()
}

fn basket_schema() -> CatalogSchema {
    let fields = OrderFields {
        amount: true,
        discount: true,
        items: true,
        address_kind: true,
        payment_kind: true,
        ..OrderFields::default()
    };
    CatalogSchema { fields, ..schema() }
}

/// The order with this number, with a basket and all that [`basket_bundle`] leans on.
pub(crate) fn basket_order(n: u32) -> Order {
    let mut dice = ChaCha8Rng::seed_from_u64(n.into());
    let mut order = order(n);
    let yuan = |minor_units| Some(Money { currency: Currency::CNY, minor_units });
    let minor_units = dice.gen_range(1_000..60_000);
    order.amount = yuan(minor_units);
    order.discount = yuan(minor_units * dice.gen_range(0..4) / 10);
    order.items = (0..dice.gen_range(1..3))
        .map(|sku| OrderItem {
            sku: entity(EntityKind::Sku, sku),
            quantity: dice.gen_range(1..5),
            unit_price: yuan(dice.gen_range(500..9_000)),
        })
        .collect();
    order.address_kind = Some(AddressKind::ALL[dice.gen_range(0..3)]);
    let kinds = [PaymentKind::Card, PaymentKind::Wallet, PaymentKind::BankTransfer];
    order.payment_kind = Some(kinds[dice.gen_range(0..3)]);
    order
}

fn fit_set(version: &str, set: &TrainingSet) -> Bundle {
    let trees = ObliviousSettings {
        n_trees_max: 12,
        depth: 3,
        learning_rate: 0.3,
        n_threads: 1,
        ..ObliviousSettings::default()
    };
    let params = BundleParams {
        version: version.into(),
        trees: ObliviousParams::new(trees),
        n_rows_min: 100,
        n_rare_min: 10,
        ..BundleParams::default()
    };
    fit_bundle(set, &params, &mut |_| {}).unwrap()
}

/// Reads `plain`, `strict`, `blind`, `exploring` and `drawing`, finds mistakes in every other text.
pub(crate) fn reader() -> StrategyReader {
    Arc::new(|toml| {
        let mut strategy = strategy();
        strategy.name = toml.into();
        strategy.hash = format!("hash of {toml}").into();
        match toml {
            "plain" => {}
            "strict" => strategy.default_risk.loss_fixed_minor = 50_000.0,
            "blind" => strategy.reviewers.blind_share = 1.0,
            // Both decline everything; the one releases what it may, the other a quarter of it.
            "exploring" => explore(&mut strategy, 1.0),
            "drawing" => explore(&mut strategy, 0.25),
            _ => return Err(vec![mistake(&format!("`{toml}` is not a strategy"))]),
        }
        Ok(ActiveStrategy { strategy, toml: toml.into() })
    })
}

/// Declines every order, and releases it again with this chance, five in an hour where it is 1.
fn explore(strategy: &mut Strategy, chance: f64) {
    strategy.default_risk.loss_fixed_minor = 50_000.0;
    // Whoever releases an order pays more than it can bring, whoever looks at it, too.
    strategy.money.margin_share = 0.0;
    strategy.money.future_purchases_minor = 0.0;
    strategy.money.complaint_minor = 0.0;
    strategy.actions.iter_mut().filter(|it| it.kind != ActionKind::Decline).for_each(|it| {
        it.cost_minor = 1e6;
    });
    let most = if chance < 1.0 { 1e9 } else { 300_000.0 };
    strategy.exploration = Some(ExplorationPolicy {
        rate: chance,
        propensity_min: chance,
        amount_max_minor: 20_000.0,
        hour_max_minor: most,
        day_max_minor: 2.0 * most,
        month_max_minor: 4.0 * most,
    });
}

pub(crate) fn mistake(message: &str) -> StrategyMistake {
    StrategyMistake { message: message.into(), line: 1, start: 0, end: 0, suggestion: None }
}

/// A start with the bundle of this hash.
pub(crate) fn model_activated(hash: &str) -> ModelActivated {
    ModelActivated {
        name: "risk/1".into(),
        hash: hash.into(),
        signature: Signature { by: Box::default(), at: at(0), note: Box::default() },
        report_hash: Box::default(),
    }
}

pub(crate) fn judge(bundle: Arc<Bundle>, toml: &str) -> Judge {
    let strategy = Arc::new((reader())(toml).unwrap());
    Judge::new(bundle, strategy, "test").unwrap()
}

/// Ids in the order of asking.
pub(crate) fn new_id(_: Timestamp) -> DecisionId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    DecisionId(Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into()))
}

pub(crate) fn entity(kind: EntityKind, n: u32) -> EntityRef {
    EntityRef { kind, key: EntityKey::Hashed(n.into()) }
}

/// The order with this number; few accounts, devices and addresses share many orders.
pub(crate) fn order(n: u32) -> Order {
    let key = OrderKey { channel: "app".into(), order_id: n.to_string().into(), revision: 0 };
    let mut order = Order::new(key);
    order.amount = Some(Money { currency: Currency::CNY, minor_units: 1_000 * i64::from(n) });
    order.entities = vec![
        entity(EntityKind::Account, n % 7),
        entity(EntityKind::Device, n % 5),
        entity(EntityKind::Ip, n % 3),
    ];
    order
}

/// A request about the order with this number, placed in that minute.
pub(crate) fn request(n: u32) -> ScoreRequest {
    ScoreRequest {
        request_id: format!("request {n}").into(),
        event_time: at(n.into()),
        order: order(n),
        max_actions: 3,
        max_contributions: 12,
    }
}

pub(crate) fn placed(n: u32) -> Event {
    event(format!("placed {n}"), at(n.into()), Fact::OrderPlaced(order(n)))
}

/// The truth about an order, told in a minute.
pub(crate) fn label(n: u32, value: f64, minute: i64) -> Event {
    let label =
        Label { order: order(n).key, head: head(), value, matures_at: None, concerns: Vec::new() };
    event(format!("label {n} {value} {minute}"), at(minute), Fact::Label(label))
}

pub(crate) fn event(id: String, time: Timestamp, fact: Fact) -> Event {
    Event { event_id: id.into(), event_time: time, ingest_time: None, fact }
}
