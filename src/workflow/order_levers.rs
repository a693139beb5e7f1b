//! Levers of an order: its fields, each with all features that follow from it.
//!
//! A setting is an edit of the order, taken from a value that the training data
//! has seen; what it moves is read again from the edited order. So every
//! combination that a search tries is some order's.

use std::ops::Range;

use crate::domain::feature::FeatureSpec;
use crate::domain::order::Order;
use crate::feature::amount_line::AmountLines;
use crate::feature::catalog::Catalog;
use crate::feature::edits::{OrderEdit, OrderField};
use crate::model::binning::Binning;
use crate::model::counterfactual::answer::Choice;
use crate::model::counterfactual::feature_levers::Way;
use crate::model::counterfactual::lever::{Levers, Move};
use crate::model::counterfactual::plausibility::Plausibility;
use crate::model::counterfactual::question::Goal;
use crate::model::counterfactual::search_forest::SearchForest;
use crate::workflow::sight::Given;

/// An order with its features, and how they follow from its fields.
#[derive(Clone, Copy, Debug)]
pub struct Editable<'a> {
    /// The order.
    pub order: &'a Order,
    /// Its features in bundle order; NaN is unknown.
    pub values: &'a [f32],
    /// The bundle's features, as they are read.
    pub catalog: &'a Catalog,
    /// How some follow from the amount.
    pub lines: &'a AmountLines,
    /// Features that are given, whatever the order says.
    pub given: &'a [Given],
}

/// How one head sees an order, for building its levers.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The head.
    pub forest: &'a SearchForest,
    /// What the training rows have seen.
    pub plausibility: &'a Plausibility,
    /// Borders of all features.
    pub binning: &'a Binning,
    /// The order's ranks.
    pub ranks: &'a [u8],
    /// Where the score has to get.
    pub goal: Goal,
}

/// The fields of an order that may change, as levers.
#[derive(Debug)]
pub struct OrderLevers {
    /// For the search; levers by field.
    pub levers: Levers,
    /// By lever: the edit behind each value of the feature that is set.
    edits: Vec<Vec<(Move, OrderEdit)>>,
}

/// A setting before it is added.
struct Candidate {
    cost: u32,
    edit: OrderEdit,
    /// The feature that is set first, then all that follow.
    moves: Vec<Move>,
    /// Where the head sees what the field moves.
    cells: Vec<usize>,
}

impl Editable<'_> {
    /// The order after edits of different fields, by field, and its features.
    pub fn edited(&self, edits: &[OrderEdit]) -> (Order, Vec<f32>) {
        let mut order = self.order.clone();
        for edit in edits {
            edit.apply(&mut order);
        }
        let mut values = self.values.to_vec();
        self.catalog.reread(&order, self.lines, &mut values);
        for given in self.given {
            values[given.at] = given.value;
        }
        (order, values)
    }

    fn is_given(&self, at: usize) -> bool {
        self.given.iter().any(|given| given.at == at)
    }

    fn specs(&self) -> &[FeatureSpec] {
        self.catalog.specs()
    }

    /// What an edit moves; `None` when it changes nothing or makes something unknown.
    fn candidate(&self, view: &View<'_>, edit: OrderEdit, set: usize) -> Option<Candidate> {
        let mut order = self.fields_only();
        edit.apply(&mut order);
        let mut moves = Vec::new();
        for (at, value) in self.catalog.followers(edit.field(), &order, self.lines) {
            let before = self.values[at];
            let is_same = before.to_bits() == value.to_bits() || before.is_nan() && value.is_nan();
            if is_same || self.is_given(at) {
                continue;
            }
            if value.is_nan() {
                return None;
            }
            let rank = view.binning.rank(at, value);
            moves.push(Move { feature: u16::try_from(at).ok()?, rank, value });
        }
        let at_set = moves.iter().position(|step| usize::from(step.feature) == set)?;
        moves.swap(0, at_set);
        let cell = |step: &Move| view.forest.cell(step.feature, step.rank);
        let cells: Vec<usize> = moves.iter().map(cell).collect();
        let first = moves[0];
        let change = first.value - self.values[set];
        let way = Way::toward(view.goal, self.specs()[set].monotone);
        let is_seen_by_head = moves.iter().zip(&cells).any(|(step, cell)| {
            let rank = view.ranks[usize::from(step.feature)];
            view.forest.cell(step.feature, rank) != *cell
        });
        (is_seen_by_head && way.allows(self.values[set], first.value)).then(|| Candidate {
            cost: view.plausibility.cost(first.feature, change),
            edit,
            moves,
            cells,
        })
    }

    /// The order without what no field's features read.
    fn fields_only(&self) -> Order {
        let order = self.order;
        Order {
            amount: order.amount,
            discount: order.discount,
            items: order.items.clone(),
            address_kind: order.address_kind,
            payment_kind: order.payment_kind,
            ..Order::new(order.key.clone())
        }
    }

    /// The edits of one field to values that the data has seen, ascending.
    fn candidates(&self, view: &View<'_>, field: OrderField) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        let setters = self.catalog.setters().filter(|(_, of)| *of == field);
        for (at, _) in setters {
            let is_free = self.specs()[at].is_changeable && !self.is_given(at);
            let Some(feature) = u16::try_from(at).ok().filter(|_| is_free) else { continue };
            let seen = view.plausibility.values(feature);
            let edits =
                seen.filter_map(|(_, value)| self.catalog.edit(at, value.into(), self.order));
            candidates.extend(edits.filter_map(|edit| self.candidate(view, edit, at)));
            // Amount and its logarithm are one field; a kind has a feature for each of its values.
            if !candidates.is_empty() && is_ordered(field) {
                break;
            }
        }
        candidates
    }
}

impl OrderLevers {
    /// One lever per field that the order tells and that may change, with the settings that
    /// the head can tell apart.
    pub fn new(order: &Editable<'_>, view: &View<'_>) -> Self {
        let (mut levers, mut edits) = (Levers::default(), Vec::new());
        for field in OrderField::ALL {
            let kept = cheapest(order.candidates(view, field));
            let of_field = kept.iter().map(|it| (it.moves[0], it.edit)).collect();
            if levers.add(kept.into_iter().map(|it| (it.cost, it.moves))) {
                edits.push(of_field);
            }
        }
        levers.check_against(view.plausibility, view.ranks);
        Self { levers, edits }
    }

    /// The edit that a choice stands for.
    pub fn edit(&self, choice: Choice) -> Option<OrderEdit> {
        let set = self.set(choice)?;
        let is_it = |(of, _): &&(Move, OrderEdit)| {
            of.feature == set.feature && of.value.to_bits() == set.value.to_bits()
        };
        self.edits[choice.lever].iter().find(is_it).map(|(_, edit)| *edit)
    }

    /// What a choice sets; the rest follows.
    pub fn set(&self, choice: Choice) -> Option<Move> {
        let setting = self.levers.settings(choice.lever).get(choice.setting)?;
        self.levers.moves(setting).first().copied()
    }

    /// The settings of a choice's lever on its side of the present value; `None` when they
    /// have no order.
    pub fn side(&self, choice: Choice, values: &[f32]) -> Option<Range<usize>> {
        let edit = self.edit(choice)?;
        let set = self.set(choice)?;
        let now = values[usize::from(set.feature)];
        let settings = self.levers.settings(choice.lever);
        let n_below = settings.partition_point(|setting| {
            self.levers.moves(setting).first().is_some_and(|step| step.value < now)
        });
        let side = if set.value < now { 0..n_below } else { n_below..settings.len() };
        is_ordered(edit.field()).then_some(side)
    }
}

/// Of neighbors that are the same to the head the cheapest.
fn cheapest(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut kept: Vec<Candidate> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        match kept.last_mut().filter(|last| last.is_same_to_head(&candidate)) {
            Some(last) if candidate.cost < last.cost => *last = candidate,
            Some(_) => {}
            None => kept.push(candidate),
        }
    }
    kept
}

impl Candidate {
    fn is_same_to_head(&self, other: &Self) -> bool {
        let features = |it: &Self| it.moves.iter().map(|step| step.feature).collect::<Vec<_>>();
        self.cells == other.cells && features(self) == features(other)
    }
}

/// True for a field whose values ascend.
fn is_ordered(field: OrderField) -> bool {
    match field {
        OrderField::Amount | OrderField::Discount | OrderField::Pieces => true,
        OrderField::Address | OrderField::Payment => false,
    }
}
