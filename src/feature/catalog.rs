//! The catalog: every feature that a source's schema allows, in a fixed order.
//!
//! Rows come from the schema alone: first the order itself and its attributes, then
//! the past of its categories, then each entity kind. Equal schemas give equal
//! catalogs, ids and order.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::domain::entity::EntityKind;
use crate::domain::feature::{CatalogSchema, FeatureSpec};
use crate::domain::head::HeadId;
use crate::feature::category_rows::category_rows;
use crate::feature::entity_rows::entity_rows;
use crate::feature::order_rows::order_rows;
use crate::feature::row::{CategoryName, CategoryRead, EntityRead, Fold, OrderRead, Read, Row};

/// A feature id that the catalog does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("feature `{0}` is not in the catalog of this schema")]
pub struct UnknownFeature(pub Box<str>);

/// The features of a schema, or a selection of them, ready to be read.
#[derive(Clone, Debug)]
pub struct Catalog {
    specs: Vec<FeatureSpec>,
    pub(super) reads: Vec<Read>,
    pub(super) heads: Vec<HeadId>,
    pub(super) plan: Plan,
}

/// Reads grouped by where they read from; positions are those of the rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) order: Vec<(usize, OrderRead)>,
    pub(super) numbers: Vec<(usize, Box<str>)>,
    pub(super) categories: Vec<CategoryPlan>,
    pub(super) entities: Vec<(EntityKind, Vec<(usize, EntityRead)>)>,
    /// SKU reads, each once, with the folds that want it.
    pub(super) skus: Vec<(EntityRead, Vec<(usize, Fold)>)>,
}

/// Reads of one category: its word is looked up once.
#[derive(Clone, Debug)]
pub(super) struct CategoryPlan {
    pub(super) name: CategoryName,
    /// Values that have a 0/1 row.
    pub(super) values: Vec<(usize, Box<str>)>,
    pub(super) past: Vec<(usize, CategoryRead)>,
}

impl Catalog {
    /// Every feature of a schema.
    pub fn new(schema: &CatalogSchema) -> Self {
        let mut rows = order_rows(schema);
        rows.extend(category_rows(schema));
        rows.extend(entity_rows(schema));
        // Attributes may be named like anything: the first row of an id keeps it.
        let mut ids = BTreeSet::new();
        rows.retain(|row| ids.insert(row.spec.id.clone()));
        Self::of(rows, schema.label_heads.clone())
    }

    /// The features, in the order of extraction.
    pub fn specs(&self) -> &[FeatureSpec] {
        &self.specs
    }

    /// The same features, only those named, in the order named; reads nothing else.
    ///
    /// # Errors
    /// [`UnknownFeature`] for the first id that the catalog does not have.
    pub fn select(&self, ids: &[Arc<str>]) -> Result<Self, UnknownFeature> {
        let known: IndexMap<&str, usize, FxBuildHasher> =
            self.specs.iter().enumerate().map(|(at, spec)| (&*spec.id, at)).collect();
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids {
            let at = *known.get(&**id).ok_or_else(|| UnknownFeature((&**id).into()))?;
            rows.push(Row { spec: self.specs[at].clone(), read: self.reads[at].clone() });
        }
        Ok(Self::of(rows, self.heads.clone()))
    }

    fn of(rows: Vec<Row>, heads: Vec<HeadId>) -> Self {
        let plan = Plan::of(&rows);
        let (specs, reads) = rows.into_iter().map(|row| (row.spec, row.read)).unzip();
        Self { specs, reads, heads, plan }
    }
}

impl CategoryPlan {
    /// Sets the 0/1 rows of an order with this word.
    pub(super) fn mark(&self, word: &str, out: &mut [f32]) {
        for (at, value) in &self.values {
            out[*at] = if *word == **value { 1.0 } else { 0.0 };
        }
    }
}

impl Plan {
    fn of(rows: &[Row]) -> Self {
        let mut plan = Self::default();
        for (at, row) in rows.iter().enumerate() {
            match &row.read {
                Read::Order(read) => plan.order.push((at, *read)),
                Read::Number(name) => plan.numbers.push((at, name.clone())),
                Read::Category(name, value) => {
                    plan.category(name).values.push((at, value.clone()));
                }
                Read::CategoryPast(name, read) => plan.category(name).past.push((at, *read)),
                Read::Entity(kind, read) => plan.add_entity(*kind, at, *read),
                Read::Sku(read, fold) => plan.add_sku(*read, at, *fold),
            }
        }
        plan
    }

    fn category(&mut self, name: &CategoryName) -> &mut CategoryPlan {
        let known = self.categories.iter().position(|plan| plan.name == *name);
        let at = known.unwrap_or_else(|| {
            let (values, past) = (Vec::new(), Vec::new());
            self.categories.push(CategoryPlan { name: name.clone(), values, past });
            self.categories.len() - 1
        });
        &mut self.categories[at]
    }

    fn add_entity(&mut self, kind: EntityKind, at: usize, read: EntityRead) {
        match self.entities.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, reads)) => reads.push((at, read)),
            None => self.entities.push((kind, vec![(at, read)])),
        }
    }

    fn add_sku(&mut self, read: EntityRead, at: usize, fold: Fold) {
        match self.skus.iter_mut().find(|(known, _)| *known == read) {
            Some((_, folds)) => folds.push((at, fold)),
            None => self.skus.push((read, vec![(at, fold)])),
        }
    }
}
