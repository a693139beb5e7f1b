//! What-if questions, read at the door: a field mask becomes a list of changes.

use crate::domain::entity::EntityKind;
use crate::domain::order::{Countries, Order, OrderKey, TEXT_BYTES_MAX};
use crate::domain::query::{
    FeatureValue, OrderChange, ProbabilityTarget, StrategyChoice, WhatIf, WhatIfSubject,
};
use crate::domain::risk::Probability;
use crate::wire::check::{Check, Door, Path, order_key_to_pb};
use crate::wire::decision::Explain;
use crate::wire::error::Error;
use crate::wire::feedback::read_decision_id;
use crate::wire::order;
use crate::wire::pb::v1 as pb;
use crate::wire::request::{read_explain, read_score_order};

/// Largest strategy text in bytes.
pub const STRATEGY_BYTES_MAX: usize = 256 * 1024;
/// Most paths in a mask.
pub const CHANGES_MAX: usize = 300;

/// Reads a what-if question.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn what_if(request: pb::WhatIfRequest, door: Door<'_>) -> Result<(WhatIf, Explain), Error> {
    let mut check = Check::at_door(door);
    let root = Path::Root;
    let explain = read_explain(&mut check, &root, request.explain_level);
    let subject = check.required(&root.field("subject"), request.subject, |check, _, it| {
        read_subject(check, &root, it)
    });
    let paths = request.override_mask.map(|mask| mask.paths).unwrap_or_default();
    let changes = read_changes(&mut check, &root, request.overrides, &paths);
    let strategy = read_strategy(&mut check, &root, request.strategy_toml, request.strategy_ref);
    let features = read_features(&mut check, &root, request.feature_overrides);
    let target = request.target.and_then(|target| read_target(&mut check, &root, target));
    let question = subject.map(|subject| WhatIf { subject, changes, strategy, features, target });
    check.finish(question.zip(explain))
}

fn read_subject(
    check: &mut Check<'_>,
    path: &Path<'_>,
    subject: pb::what_if_request::Subject,
) -> Option<WhatIfSubject> {
    match subject {
        pb::what_if_request::Subject::DecisionId(id) => {
            read_decision_id(check, &path.field("decision_id"), &id).map(WhatIfSubject::Decision)
        }
        pb::what_if_request::Subject::Request(request) => {
            let path = path.field("request");
            if !request.strategy_ref.is_empty() {
                let description = "must be empty: the what-if has a `strategy_ref` of its own";
                check.note(&path.field("strategy_ref"), description);
            }
            read_score_order(check, &path, request)
                .map(|score| WhatIfSubject::Request(score.request))
        }
    }
}

fn read_strategy(
    check: &mut Check<'_>,
    root: &Path<'_>,
    toml: String,
    name: String,
) -> Option<StrategyChoice> {
    if toml.len() > STRATEGY_BYTES_MAX {
        let description = format!("has more than {STRATEGY_BYTES_MAX} bytes");
        check.note(&root.field("strategy_toml"), description);
    }
    let path = root.field("strategy_ref");
    let name = check.text(&path, name)?;
    if !toml.is_empty() && !name.is_empty() {
        check.note(&path, "must be empty when `strategy_toml` is given");
    }
    match (toml.is_empty(), name.is_empty()) {
        (false, _) => Some(StrategyChoice::Text(toml.into_boxed_str())),
        (true, false) => Some(StrategyChoice::Known(name)),
        (true, true) => None,
    }
}

fn read_features(
    check: &mut Check<'_>,
    root: &Path<'_>,
    overrides: Vec<pb::FeatureOverride>,
) -> Vec<FeatureValue> {
    let list = root.field("feature_overrides");
    if overrides.len() > CHANGES_MAX {
        check.note(&list, format!("has {} values, more than {CHANGES_MAX}", overrides.len()));
        return Vec::new();
    }
    let mut features: Vec<FeatureValue> = Vec::with_capacity(overrides.len());
    for (idx, new) in overrides.into_iter().enumerate() {
        let path = list.index(idx);
        let id = path.field("feature");
        let widest = f64::from(f32::MAX);
        if new.value.is_some_and(|value| !(-widest..=widest).contains(&value)) {
            check.note(&path.field("value"), "must be a number within ±3.4e38");
        }
        let Some(feature) = check.name(&id, new.feature) else { continue };
        if features.iter().any(|known| known.feature == feature) {
            check.note(&id, "is given twice");
        }
        features.push(FeatureValue { feature, value: new.value });
    }
    features
}

fn read_target(
    check: &mut Check<'_>,
    root: &Path<'_>,
    target: pb::ProbabilityTarget,
) -> Option<ProbabilityTarget> {
    let path = root.field("target");
    if !(0.0..=1.0).contains(&target.probability) {
        check.note(&path.field("probability"), "must be in [0, 1]");
    }
    let head = check.head(&path, target.risk_type, target.head_id)?;
    Some(ProbabilityTarget { head, probability: Probability::clamped(target.probability) })
}

fn read_changes(
    check: &mut Check<'_>,
    root: &Path<'_>,
    overrides: Option<pb::Order>,
    paths: &[String],
) -> Vec<OrderChange> {
    let mask = root.field("override_mask");
    if paths.len() > CHANGES_MAX {
        check.note(&mask, format!("has {} paths, more than {CHANGES_MAX}", paths.len()));
        return Vec::new();
    }
    // The overrides need no key of their own; any will do.
    let anyone = OrderKey { channel: "-".into(), order_id: "-".into(), revision: 0 };
    let mut overrides = overrides.unwrap_or_default();
    overrides.key = Some(order_key_to_pb(&anyone));
    let Some(new) = order::read(check, &root.field("overrides"), overrides) else {
        return Vec::new();
    };
    let list = mask.field("paths");
    let mut changes = Vec::with_capacity(paths.len());
    for (idx, path) in paths.iter().enumerate() {
        match change(path, &new) {
            Some(change) => changes.push(change),
            None => check.note(&list.index(idx), "is not a field that can be replaced"),
        }
    }
    changes
}

fn change(path: &str, new: &Order) -> Option<OrderChange> {
    if let Some(kind) = path.strip_prefix("entities.") {
        let kind = EntityKind::parse(kind).filter(|kind| *kind != EntityKind::Sku)?;
        return Some(OrderChange::Entity(kind, new.entity(kind).cloned()));
    }
    if let Some(name) = path.strip_prefix("attributes.") {
        let is_name = !name.is_empty() && name.len() <= TEXT_BYTES_MAX;
        let value = new.attributes.get(name).cloned();
        return is_name.then(|| OrderChange::Attribute(name.into(), value));
    }
    let Countries { ip, payment, shipping } = &new.countries;
    Some(match path {
        "amount" => OrderChange::Amount(new.amount),
        "discount" => OrderChange::Discount(new.discount),
        "items" => OrderChange::Items(new.items.clone()),
        "account_created_at" => OrderChange::AccountCreatedAt(new.account_created_at),
        "address_kind" => OrderChange::AddressKind(new.address_kind),
        "payment_kind" => OrderChange::PaymentKind(new.payment_kind),
        "countries.ip" => OrderChange::IpCountry(ip.clone()),
        "countries.payment" => OrderChange::PaymentCountry(payment.clone()),
        "countries.shipping" => OrderChange::ShippingCountry(shipping.clone()),
        "device_distance_km" => OrderChange::DeviceDistanceKm(new.device_distance_km),
        _ => return None,
    })
}
