//! A checked mapping: how the rows of one source become events.

use std::ops::Range;

use crate::domain::entity::EntityKind;
use crate::domain::event::CancelReason;
use crate::domain::head::HeadId;
use crate::domain::money::Currency;
use crate::domain::order::{AddressKind, PaymentKind};
use crate::domain::time::Span;
use crate::import::amount::MoneySpec;
use crate::import::check::check_document;
use crate::import::instant::TimeSpec;
use crate::import::mistake::{MappingErrors, Mistake, suggest};
use crate::import::section::{Column, Columns, Reading};

/// Columns of the input that an error lists.
const COLUMNS_SHOWN_MAX: usize = 40;

/// How the rows of one source become events; made by [`Mapping::parse`] only.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub(super) file_name: Box<str>,
    pub(super) text: Box<str>,
    pub(super) columns: Columns,
    pub(super) rules: Rules,
}

/// What a mapping file says, checked.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) source: SourceSpec,
    pub(super) filters: Vec<Condition>,
    pub(super) order: OrderSpec,
    pub(super) entities: Vec<EntitySpec>,
    pub(super) money: MoneyRules,
    pub(super) items: Option<ItemSpec>,
    pub(super) attributes: Vec<AttributeSpec>,
    pub(super) events: Vec<EventSpec>,
    pub(super) labels: Vec<LabelSpec>,
}

#[derive(Clone, Debug)]
pub(super) struct SourceSpec {
    pub(super) format: Format,
    pub(super) channel: ChannelSpec,
    pub(super) currency: Option<Currency>,
    pub(super) event_prefix: Box<str>,
    pub(super) null_values: Vec<Box<str>>,
    pub(super) max_reject_share: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Csv { delimiter: u8 },
    JsonLines,
}

#[derive(Clone, Debug)]
pub(super) enum ChannelSpec {
    Constant(Box<str>),
    Column(Column),
}

#[derive(Clone, Debug)]
pub(super) enum IdSpec {
    Columns(Vec<Column>),
    RowNumber,
}

#[derive(Clone, Debug)]
pub(super) struct OrderSpec {
    pub(super) id: IdSpec,
    pub(super) time: TimeSpec,
    pub(super) account_created_at: Option<TimeSpec>,
    pub(super) address_kind: Option<WordSpec<AddressKind>>,
    pub(super) payment_kind: Option<WordSpec<PaymentKind>>,
    /// Network, payment and shipping country, in this order.
    pub(super) countries: [Option<WordSpec<Box<str>>>; 3],
    pub(super) device_distance_km: Option<Column>,
}

/// A column whose values are translated by a map.
#[derive(Clone, Debug)]
pub(super) struct WordSpec<T> {
    pub(super) column: Column,
    pub(super) map: Vec<(Box<str>, T)>,
}

#[derive(Clone, Debug)]
pub(super) struct EntitySpec {
    pub(super) kind: EntityKind,
    pub(super) columns: Vec<Column>,
    pub(super) strip_suffix: Box<str>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct MoneyRules {
    pub(super) amount: Option<AmountSpec>,
    pub(super) discount: Option<MoneySpec>,
}

#[derive(Clone, Debug)]
pub(super) enum AmountSpec {
    Column(MoneySpec),
    SumOfItems,
}

#[derive(Clone, Debug)]
pub(super) struct ItemSpec {
    pub(super) list: Option<Box<str>>,
    pub(super) sku: Column,
    pub(super) quantity: Option<Column>,
    pub(super) unit_price: Option<MoneySpec>,
}

#[derive(Clone, Debug)]
pub(super) struct AttributeSpec {
    pub(super) name: Box<str>,
    pub(super) column: Column,
    pub(super) kind: AttributeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttributeKind {
    Number,
    Category,
}

#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) column: Column,
    pub(super) test: Test,
}

#[derive(Clone, Debug)]
pub(super) enum Test {
    OneOf(Vec<Box<str>>),
    NoneOf(Vec<Box<str>>),
    StartsWith(Vec<Box<str>>),
    NotStartsWith(Vec<Box<str>>),
    Present,
    Missing,
}

/// Rows that tell a later fact instead of an order line.
#[derive(Clone, Debug)]
pub(super) struct EventSpec {
    pub(super) when: Condition,
    pub(super) fact: FactKind,
    pub(super) time: TimeSpec,
    pub(super) target: Target,
    pub(super) amount: Option<MoneySpec>,
    pub(super) reason: Option<CancelReason>,
}

/// How a later fact finds its order.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// The row names the order.
    Named(Vec<Column>),
    /// The most recent earlier order with the same entities.
    Match { kinds: Vec<EntityKind>, within: Option<Span> },
}

/// The facts a row can tell about an order that was placed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FactKind {
    OrderPaid,
    OrderCancelled,
    StockReserved,
    OrderShipped,
    OrderDelivered,
    OrderReturned,
    OrderRefunded,
    OrderChargedBack,
}

#[derive(Clone, Debug)]
pub(super) struct LabelSpec {
    pub(super) head: HeadId,
    pub(super) rule: LabelRule,
}

#[derive(Clone, Debug)]
pub(super) enum LabelRule {
    Words {
        column: Column,
        positive: Vec<Box<str>>,
        negative: Option<Vec<Box<str>>>,
        known_after: Span,
    },
    Number {
        column: Column,
        known_after: Span,
    },
    LaterEvent {
        fact: FactKind,
        within: Span,
        tells: LaterValue,
    },
}

/// What a label about later facts says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LaterValue {
    /// 1 when one came, 0 when none did.
    Occurrence,
    /// The sum of their amounts, major units; 0 when none came.
    Amount,
}

impl FactKind {
    pub(super) const NAMES: [&str; 8] = [
        "order_paid",
        "order_cancelled",
        "stock_reserved",
        "order_shipped",
        "order_delivered",
        "order_returned",
        "order_refunded",
        "order_charged_back",
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::OrderPaid => "order_paid",
            Self::OrderCancelled => "order_cancelled",
            Self::StockReserved => "stock_reserved",
            Self::OrderShipped => "order_shipped",
            Self::OrderDelivered => "order_delivered",
            Self::OrderReturned => "order_returned",
            Self::OrderRefunded => "order_refunded",
            Self::OrderChargedBack => "order_charged_back",
        }
    }
}

impl Mapping {
    /// Reads a mapping file; `file_name` is only shown.
    ///
    /// # Errors
    /// [`MappingErrors`] with every mistake of the file, each with its line and key.
    pub fn parse(file_name: &str, toml_text: &str) -> Result<Self, MappingErrors> {
        let reading = Reading::default();
        let (document, syntax) = toml::de::DeTable::parse_recoverable(toml_text);
        for error in &syntax {
            let span = error.span().unwrap_or(0..0);
            reading.note("toml", &span, error.message().to_owned(), None);
        }
        // Half a document would only add mistakes that are none.
        let rules =
            syntax.is_empty().then(|| check_document(&reading, document.get_ref())).flatten();
        let mistakes = reading.mistakes.into_inner();
        match rules {
            Some(rules) if mistakes.is_empty() => Ok(Self {
                file_name: file_name.into(),
                text: toml_text.into(),
                columns: reading.columns.into_inner(),
                rules,
            }),
            Some(_) | None => Err(MappingErrors::new(file_name, toml_text, mistakes)),
        }
    }

    /// Names of the columns that the mapping reads.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(AsRef::as_ref)
    }

    /// Where the mapping first names a column: `file:line: key`.
    pub(super) fn place_of(&self, column: &str) -> Option<String> {
        let place = self.columns.get(column)?.first()?;
        let before = self.text.get(..place.span.start)?;
        let line = 1 + before.bytes().filter(|&byte| byte == b'\n').count();
        Some(format!("{}:{line}: {}", self.file_name, place.key))
    }

    /// Finds the mapped columns among the columns of the input.
    ///
    /// # Errors
    /// [`MappingErrors`] with every column that is missing or stands there twice.
    pub fn check_columns(&self, available: &[String]) -> Result<(), MappingErrors> {
        let mut mistakes = Vec::new();
        for (name, uses) in &self.columns {
            let remark = match available.iter().filter(|other| ***other == **name).count() {
                1 => continue,
                0 => format!("`{name}` is not a column of the input ({})", list(available)),
                n => format!("`{name}` names {n} columns of the input"),
            };
            let hint = suggest(name, available.iter().map(String::as_str))
                .filter(|_| !available.iter().any(|other| **other == **name));
            mistakes.extend(uses.iter().map(|place| Mistake {
                key: place.key.clone(),
                remark: remark.clone(),
                hint: hint.clone(),
                span: Range::clone(&place.span),
            }));
        }
        if mistakes.is_empty() {
            Ok(())
        } else {
            Err(MappingErrors::new(&self.file_name, &self.text, mistakes))
        }
    }
}

/// The names with commas; of very many only the first.
fn list(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().map(String::as_str).take(COLUMNS_SHOWN_MAX).collect();
    let more = match names.len() - shown.len() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    shown.join(", ") + &more
}
