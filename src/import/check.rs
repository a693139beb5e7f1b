//! Checks what a mapping says about orders: ids, entities, money, items.

use toml::de::DeTable;

use crate::domain::entity::EntityKind;
use crate::domain::money::Currency;
use crate::domain::order::ATTRIBUTES_MAX;
use crate::import::amount::{check_currency, check_money};
use crate::import::check_rules::{check_condition, check_event, check_label};
use crate::import::instant::check_time;
use crate::import::mapping::{
    AmountSpec, AttributeKind, AttributeSpec, ChannelSpec, EntitySpec, EventSpec, Format, IdSpec,
    ItemSpec, LabelSpec, MoneyRules, OrderSpec, Rules, SourceSpec, Target, WordSpec,
};
use crate::import::mistake::suggest;
use crate::import::section::{Column, Entry, Reading, Section};

const ADDRESS_KINDS: [&str; 6] =
    ["residential", "office", "hotel", "parcel_locker", "dormitory", "forwarder"];
const PAYMENT_KINDS: [&str; 5] =
    ["card", "wallet", "bank_transfer", "cash_on_delivery", "installment"];

/// Reads the whole document; `None` and every mistake noted when something is wrong.
pub(super) fn check_document(reading: &Reading, document: &DeTable<'_>) -> Option<Rules> {
    let root = Section::root(reading, document);
    let source = root.required("source").and_then(|entry| check_source(&entry.section()?));
    let currency = source.as_ref().and_then(|source| source.currency);
    let order = root.required("order").and_then(|entry| check_order(&entry.section()?));
    let entities = root.section("entities").map(|section| check_entities(&section));
    let items = root.section("items").map(|section| check_items(&section, currency));
    let money = root.section("money").map(|section| check_money_rules(&section, currency));
    let of_order = entities.as_deref().unwrap_or_default();
    let attributes = root.section("attributes").map(|section| check_attributes(&section, of_order));
    let filters: Vec<_> = root.sections("filter").iter().map(check_condition).collect();
    let time = order.as_ref().map(|order| &order.time);
    let events: Vec<_> = root
        .sections("events")
        .iter()
        .map(|section| check_event(section, time, currency))
        .collect();
    // Which facts a broken rule meant is unknown.
    let facts: Option<Vec<_>> =
        events.iter().map(|event| event.as_ref().map(|event| event.fact)).collect();
    let labels: Vec<_> = root
        .sections("labels")
        .iter()
        .map(|section| check_label(section, facts.as_deref()))
        .collect();
    root.finish();

    let (money, items) = (money.unwrap_or_default(), items.flatten());
    check_sum(reading, &money, items.as_ref());
    check_matches(reading, entities.as_deref().unwrap_or_default(), items.as_ref(), &events);
    check_heads(reading, &labels);

    Some(Rules {
        source: source?,
        filters: filters.into_iter().collect::<Option<_>>()?,
        order: order?,
        entities: entities.unwrap_or_default(),
        money,
        items,
        attributes: attributes.unwrap_or_default(),
        events: events.into_iter().collect::<Option<_>>()?,
        labels: labels.into_iter().collect::<Option<_>>()?,
    })
}

/// A sum of items needs their prices.
fn check_sum(reading: &Reading, money: &MoneyRules, items: Option<&ItemSpec>) {
    let has_prices = items.is_some_and(|items| items.unit_price.is_some());
    let is_sum = matches!(money.amount, Some(AmountSpec::SumOfItems));
    if is_sum && !has_prices && !reading.has_mistake_under("items") {
        let remark = "sums items, but `items.unit_price` is not mapped".to_owned();
        reading.note_key("money.amount", remark);
    }
}

/// Facts can only find orders by what orders have.
fn check_matches(
    reading: &Reading,
    entities: &[EntitySpec],
    items: Option<&ItemSpec>,
    events: &[Option<EventSpec>],
) {
    for (i, event) in events.iter().enumerate() {
        let Some(EventSpec { target: Target::Match { kinds, .. }, .. }) = event else { continue };
        for &kind in kinds {
            let (section, is_mapped) = if kind == EntityKind::Sku {
                ("items", items.is_some())
            } else {
                ("entities", entities.iter().any(|entity| entity.kind == kind))
            };
            if !is_mapped && !reading.has_mistake_under(section) {
                let remark = format!("matches `{}`, which is not mapped", kind.as_str());
                reading.note_key(&format!("events[{}].match", i + 1), remark);
            }
        }
    }
}

/// Two labels of one head would contradict each other.
fn check_heads(reading: &Reading, labels: &[Option<LabelSpec>]) {
    for (i, label) in labels.iter().enumerate() {
        let Some(label) = label else { continue };
        if labels.iter().take(i).flatten().any(|other| other.head == label.head) {
            let remark = format!("`{}` has a label already", label.head);
            reading.note_key(&format!("labels[{}].head", i + 1), remark);
        }
    }
}

fn check_source(section: &Section<'_>) -> Option<SourceSpec> {
    let format = section.required("format");
    let delimiter = section.entry("delimiter");
    let name = format.as_ref().and_then(Entry::text);
    let checked = match (name, &format) {
        (Some("csv"), _) => {
            let delimiter = delimiter.as_ref().map_or(Some(b','), check_delimiter);
            delimiter.map(|delimiter| Format::Csv { delimiter })
        }
        (Some("jsonl"), _) => {
            if let Some(delimiter) = &delimiter {
                delimiter.note("is only used with format `csv`".to_owned(), None);
            }
            Some(Format::JsonLines)
        }
        (Some(other), Some(format)) => {
            let remark = format!("`{other}` is not a format (csv, jsonl)");
            format.note(remark, suggest(other, ["csv", "jsonl"]));
            None
        }
        (None, _) | (Some(_), None) => None,
    };
    let channel = section.required("channel").and_then(|entry| check_channel(&entry));
    let currency = section.entry("currency");
    let has_currency = currency.is_some();
    let currency = currency.as_ref().and_then(check_currency);
    let event_prefix = section.entry("event_prefix").map(|entry| entry.text());
    let null_values = section.entry("null_values").map(|entry| entry.texts());
    let max_reject_share = section.required("max_reject_share").and_then(|entry| entry.share());
    section.finish();
    if has_currency && currency.is_none() {
        return None;
    }
    Some(SourceSpec {
        format: checked?,
        channel: channel?,
        currency,
        event_prefix: event_prefix.unwrap_or(Some(""))?.into(),
        null_values: null_values.unwrap_or(Some(Vec::new()))?,
        max_reject_share: max_reject_share?,
    })
}

fn check_delimiter(entry: &Entry<'_>) -> Option<u8> {
    let text = entry.text()?;
    match text.as_bytes() {
        [byte] if !matches!(byte, b'"' | b'\n' | b'\r') => Some(*byte),
        _ => {
            entry.note(format!("`{text}` is not a single character such as `;` or `\\t`"), None);
            None
        }
    }
}

fn check_channel(entry: &Entry<'_>) -> Option<ChannelSpec> {
    if entry.value.is_table() {
        let section = entry.section()?;
        let column = section.required("column").and_then(|entry| entry.column());
        section.finish();
        return column.map(ChannelSpec::Column);
    }
    let name = entry.text()?;
    if name.is_empty() {
        entry.note("must not be empty".to_owned(), None);
        return None;
    }
    Some(ChannelSpec::Constant(name.into()))
}

fn check_order(section: &Section<'_>) -> Option<OrderSpec> {
    let id = section.required("id").and_then(|entry| check_id(&entry));
    let time = section.required("time").and_then(|entry| check_time(&entry));
    let opened = section.entry("account_created_at").map(|entry| check_time(&entry));
    let address_kind = section
        .entry("address_kind")
        .map(|entry| check_words(&entry, |value| value.word("an address kind", &ADDRESS_KINDS)));
    let payment_kind = section
        .entry("payment_kind")
        .map(|entry| check_words(&entry, |value| value.word("a payment kind", &PAYMENT_KINDS)));
    let distance = section.entry("device_distance_km").map(|entry| entry.column());
    let countries = section.section("countries").map(|section| {
        let places = ["ip", "payment", "shipping"];
        let found = places
            .map(|place| section.entry(place).and_then(|entry| check_words(&entry, check_country)));
        section.finish();
        found
    });
    section.finish();
    Some(OrderSpec {
        id: id?,
        time: time?,
        account_created_at: flip(opened)?,
        address_kind: flip(address_kind)?,
        payment_kind: flip(payment_kind)?,
        countries: countries.unwrap_or([None, None, None]),
        device_distance_km: flip(distance)?,
    })
}

/// Absent is fine; present but wrong is not.
#[expect(clippy::option_option, reason = "outside: is it there; inside: is it right")]
fn flip<T>(given: Option<Option<T>>) -> Option<Option<T>> {
    match given {
        None => Some(None),
        Some(checked) => checked.map(Some),
    }
}

fn check_id(entry: &Entry<'_>) -> Option<IdSpec> {
    if !entry.value.is_table() {
        return entry.columns().map(IdSpec::Columns);
    }
    let section = entry.section()?;
    let row_number = section.required("row_number");
    section.finish();
    let row_number = row_number?;
    if row_number.is_true()? {
        return Some(IdSpec::RowNumber);
    }
    row_number.note("can only be true; else name the id's column".to_owned(), None);
    None
}

fn check_country(entry: &Entry<'_>) -> Option<Box<str>> {
    let code = entry.text()?;
    if is_country(code) {
        return Some(code.into());
    }
    let remark = format!("`{code}` is not an ISO 3166-1 alpha-2 code such as `CN`");
    entry.note(remark, None);
    None
}

/// Two capital letters.
pub(super) fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Reads a column name or `{ column, map }`.
fn check_words<T>(
    entry: &Entry<'_>,
    check: impl Fn(&Entry<'_>) -> Option<T>,
) -> Option<WordSpec<T>> {
    if !entry.value.is_table() {
        return Some(WordSpec { column: entry.column()?, map: Vec::new() });
    }
    let section = entry.section()?;
    let column = section.required("column").and_then(|entry| entry.column());
    let map = section.section("map").map_or(Some(Vec::new()), |section| {
        let pairs: Vec<_> =
            section.entries().map(|(name, value)| Some((name.into(), check(&value)?))).collect();
        pairs.into_iter().collect()
    });
    section.finish();
    Some(WordSpec { column: column?, map: map? })
}

/// Reads `kind = "column"`, `["a", "b"]` or `{ column | columns, strip_suffix }`.
fn check_entities(section: &Section<'_>) -> Vec<EntitySpec> {
    let mut entities = Vec::new();
    for (name, entry) in section.entries() {
        let Some(kind) = EntityKind::parse(name) else {
            let names = EntityKind::ALL.map(EntityKind::as_str);
            let remark = format!("`{name}` is not an entity kind ({})", names.join(", "));
            entry.note(remark, suggest(name, names));
            continue;
        };
        if kind == EntityKind::Sku {
            entry.note("belongs to the items".to_owned(), Some("use `items.sku`".to_owned()));
            continue;
        }
        let spec = if entry.value.is_table() {
            entry.section().and_then(|section| {
                let columns = section.required("column").and_then(|entry| entry.columns());
                let strip = section.entry("strip_suffix").map_or(Some(""), |entry| entry.text());
                section.finish();
                Some(EntitySpec { kind, columns: columns?, strip_suffix: strip?.into() })
            })
        } else {
            entry.columns().map(|columns| EntitySpec { kind, columns, strip_suffix: "".into() })
        };
        entities.extend(spec);
    }
    entities.sort_by_key(|entity| entity.kind);
    entities
}

fn check_items(section: &Section<'_>, currency: Option<Currency>) -> Option<ItemSpec> {
    let list = section.entry("list").map(|entry| entry.text());
    let sku = section.required("sku").and_then(|entry| entry.column());
    let quantity = section.entry("quantity").map(|entry| entry.column());
    let unit_price = section.section("unit_price").map(|section| {
        let money = check_money(&section, currency);
        section.finish();
        money
    });
    section.finish();
    let list = flip(list)?.map(Into::into);
    Some(ItemSpec { list, sku: sku?, quantity: flip(quantity)?, unit_price: flip(unit_price)? })
}

fn check_money_rules(section: &Section<'_>, currency: Option<Currency>) -> MoneyRules {
    let amount = section.section("amount").and_then(|section| {
        let from = section.entry("from");
        let amount = match from {
            None => check_money(&section, currency).map(AmountSpec::Column),
            Some(from) => match from.text() {
                Some("items") => Some(AmountSpec::SumOfItems),
                Some(other) => {
                    from.note(format!("`{other}` can only be `items`"), None);
                    None
                }
                None => None,
            },
        };
        section.finish();
        amount
    });
    let discount = section.section("discount").and_then(|section| {
        let money = check_money(&section, currency);
        section.finish();
        money
    });
    section.finish();
    MoneyRules { amount, discount }
}

/// Reads `numbers` and `categories`: column names or `{ column, name }`.
fn check_attributes(section: &Section<'_>, entities: &[EntitySpec]) -> Vec<AttributeSpec> {
    let lists = [("numbers", AttributeKind::Number), ("categories", AttributeKind::Category)];
    let mut attributes: Vec<AttributeSpec> = Vec::new();
    for (key, kind) in lists {
        let list = section.entry(key).and_then(|entry| entry.list()).unwrap_or_default();
        for entry in list {
            let Some((name, column)) = check_attribute(&entry) else { continue };
            if attributes.iter().any(|other| *other.name == *name) {
                entry.note(format!("attribute `{name}` is there already"), None);
            }
            // A part of a joined identifier, such as the city of an address, is none yet.
            let is_it = |it: &&EntitySpec| it.kind.is_personal() && it.columns == [column];
            if let Some(entity) = entities.iter().find(is_it) {
                let kind = entity.kind.as_str();
                let remark = format!("shows the identifier that `entities.{kind}` hashes");
                entry.note(remark, None);
            }
            attributes.push(AttributeSpec { name: name.into(), column, kind });
        }
    }
    if ATTRIBUTES_MAX < attributes.len() {
        section.note_self(format!("has {} attributes of {ATTRIBUTES_MAX}", attributes.len()));
    }
    section.finish();
    attributes
}

fn check_attribute<'a>(entry: &Entry<'a>) -> Option<(&'a str, Column)> {
    if !entry.value.is_table() {
        return Some((entry.text()?, entry.column()?));
    }
    let section = entry.section()?;
    let column = section.required("column").and_then(|entry| entry.column());
    let name = section.required("name").and_then(|entry| entry.text());
    section.finish();
    Some((name?, column?))
}
