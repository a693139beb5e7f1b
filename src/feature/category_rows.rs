//! Rows about the past of a category's value: how frequent, how bad.
//!
//! They say of any number of values what a 0/1 column says of the few most frequent
//! ones. Countries and every category attribute of the schema get them.

use crate::domain::category::CountryOf;
use crate::domain::feature::{CatalogSchema, FeatureGroup, FeatureSpec, FeatureUnit, Monotone};
use crate::domain::text::Text;
use crate::feature::row::{CategoryName, CategoryRead, Read, Row};
use crate::feature::words;
use crate::graph::history::Window;

/// Windows of shares: what lately goes on, and what rare values need to show anything.
const SHARE_WINDOWS: [Window; 2] = [Window::Month, Window::Ever];

/// A category in ids and texts.
struct Subject {
    name: CategoryName,
    id: String,
    group: FeatureGroup,
    /// `with the same browser`.
    en: String,
    /// `同 browser `.
    zh: String,
}

/// Every row about categories: per category its frequency, then each head's shares.
pub(super) fn category_rows(schema: &CatalogSchema) -> Vec<Row> {
    let mut subjects = Vec::new();
    if schema.fields.countries {
        subjects.extend(CountryOf::ALL.map(country));
    }
    subjects.extend(schema.categories.keys().map(|name| Subject {
        name: CategoryName::Attribute(name.clone()),
        id: format!("attribute_{name}"),
        group: FeatureGroup::Declared,
        en: format!("with the same {name}"),
        zh: format!("同 {name} "),
    }));
    subjects.iter().flat_map(|subject| rows_of(subject, schema)).collect()
}

fn country(of: CountryOf) -> Subject {
    let (group, en, zh) = match of {
        CountryOf::Ip => (FeatureGroup::Ip, "with an IP of the same country", "同 IP 国家"),
        CountryOf::Payment => (FeatureGroup::Payment, "paid from the same country", "同支付国家"),
        CountryOf::Shipping => {
            (FeatureGroup::Address, "delivered to the same country", "同收货国家")
        }
    };
    let id = format!("order_{}", of.as_str());
    Subject { name: CategoryName::Country(of), id, group, en: en.into(), zh: zh.into() }
}

fn rows_of(subject: &Subject, schema: &CatalogSchema) -> Vec<Row> {
    let row = |id: String, unit, read, en: String, zh: String| Row {
        spec: FeatureSpec {
            id: format!("{}_{id}", subject.id).into(),
            group: subject.group,
            unit,
            // No direction: the spec counts for every head, the share is one head's.
            monotone: Monotone::Free,
            is_changeable: false,
            is_graph: true,
            entity: None,
            counterpart: None,
            name: Text::new(en, zh),
        },
        read: Read::CategoryPast(subject.name.clone(), read),
    };
    let Subject { en: of, zh: of_zh, .. } = subject;
    let month = words::window(Window::Month);
    // A share: the count of a frequent value would tell the time, and a model would listen.
    let mut rows = vec![row(
        format!("orders_share_{}", month.id),
        FeatureUnit::Share,
        CategoryRead::OrderShare(Window::Month),
        format!("share of orders {of} {}", month.en),
        format!("{of_zh}{}订单占比", month.zh),
    )];
    for (head, id) in schema.label_heads.iter().enumerate() {
        let (en, zh) = words::head(&id.0);
        for window in SHARE_WINDOWS {
            let w = words::window(window);
            rows.push(row(
                format!("known_{id}_share_{}", w.id),
                FeatureUnit::Share,
                CategoryRead::BadShare(head, window),
                format!("share of judged orders {of} known as {en} {}", w.en),
                format!("{of_zh}{}已判定订单中{zh}占比", w.zh),
            ));
        }
    }
    rows
}
