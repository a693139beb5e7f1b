//! Which features the rules of a strategy may ask for.

use crate::config::rule_names::RuleFeatures;
use crate::decision::impact::{CHARGEBACK, RETURN};
use crate::domain::entity::EntityKind;
use crate::domain::feature::{CatalogSchema, FeatureSpec, OrderFields};
use crate::domain::head::{HeadId, RiskType};
use crate::feature::catalog::Catalog;
use crate::model::bundle::Bundle;

/// The features of a bundle, and those that others of this build may have.
#[derive(Clone, Debug)]
pub struct FeatureLists {
    read: Vec<FeatureSpec>,
    possible: Vec<FeatureSpec>,
}

impl FeatureLists {
    /// Every feature that this build has for the shipped heads, all of them read: what can be
    /// checked without a bundle. Attributes are missing, each source has its own.
    pub fn of_build() -> Self {
        Self { read: Catalog::new(&every_field()).specs().to_vec(), possible: Vec::new() }
    }

    /// Those of a bundle; all others of its source and of this build are possible.
    pub fn of_bundle(bundle: &Bundle) -> Self {
        let manifest = bundle.manifest();
        let mut possible = Catalog::new(&manifest.schema).specs().to_vec();
        possible.extend(Self::of_build().read);
        Self { read: manifest.features.clone(), possible }
    }

    /// As the reader of a strategy takes them.
    pub fn as_known(&self) -> RuleFeatures<'_> {
        RuleFeatures { read: &self.read, possible: &self.possible }
    }
}

/// A source that fills every field and names every kind of entity.
fn every_field() -> CatalogSchema {
    let risks = RiskType::ALL.map(RiskType::head);
    let others = [CHARGEBACK, RETURN].map(|name| HeadId(name.into()));
    let mut label_heads: Vec<HeadId> = risks.into_iter().chain(others).collect();
    label_heads.sort();
    CatalogSchema {
        kinds: EntityKind::ALL.to_vec(),
        label_heads,
        fields: OrderFields {
            amount: true,
            discount: true,
            items: true,
            account_created_at: true,
            address_kind: true,
            payment_kind: true,
            countries: true,
            device_distance: true,
        },
        ..CatalogSchema::default()
    }
}
