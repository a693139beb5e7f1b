//! What people see when a mapping is wrong: every line of it is pinned here.

use miette::{GraphicalReportHandler, GraphicalTheme};

use crate::import::mapping::Mapping;

const GOOD: &str = r#"[source]
format = "csv"
channel = "shop"
currency = "CNY"
max_reject_share = 0.01
[order]
id = "id"
time = { column = "at", format = "%Y-%m-%d", zone = "Asia/Shanghai" }
[entities]
account = "user"
[items]
sku = "sku"
unit_price = { column = "price", unit = "yuan" }
[money]
amount = { column = "total", unit = "fen" }
[attributes]
numbers = ["age"]
[[events]]
when = { column = "kind", is = "back" }
fact = "order_returned"
match = ["account", "sku"]
[[labels]]
head = "return_abuse"
kind = "later_event"
fact = "order_returned"
within = "30d"
"#;

/// What is said about the good mapping when `from` is replaced by `to`.
fn said(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    let errors = Mapping::parse("m.toml", &GOOD.replacen(from, to, 1)).unwrap_err();
    format!("{from} => {to}").replace('\n', " / ") + "\n" + &errors.to_string() + "\n"
}

const CASES: &[(&str, &str)] = &[
    ("\"csv\"", "\"cvs\""),
    ("\"csv\"", "7"),
    ("channel = \"shop\"\n", ""),
    ("\"CNY\"", "\"yuan\""),
    ("\"CNY\"", "\"USD\""),
    ("0.01", "1.5"),
    ("max_reject_share", "max_reject_shares"),
    ("\"%Y-%m-%d\"", "\"%Y-%m-%Ü\""),
    ("\"%Y-%m-%d\"", "\"%Y-%m\""),
    ("\"%Y-%m-%d\"", "\"rfc339\""),
    (", zone = \"Asia/Shanghai\"", ""),
    ("Asia/Shanghai", "Asia/Shangai"),
    ("\"%Y-%m-%d\", zone = \"Asia/Shanghai\"", "\"seconds_since\""),
    ("\"%Y-%m-%d\", zone = \"Asia/Shanghai\"", "\"seconds_since\", origin = \"today\""),
    ("\nid = \"id\"", "\nid = { row_number = false }"),
    ("account = \"user\"", "acount = \"user\""),
    ("account = \"user\"", "account = \"user\"\nsku = \"s\""),
    ("unit = \"yuan\"", "unit = \"yaun\""),
    ("{ column = \"total\", unit = \"fen\" }", "{ from = \"lines\" }"),
    (
        "unit_price = { column = \"price\", unit = \"yuan\" }\n[money]\namount = { column = \"total\", unit = \"fen\" }",
        "[money]\namount = { from = \"items\" }",
    ),
    ("[\"age\"]", "[\"age\", \"age\"]"),
    ("[\"age\"]", "[\"age\", { column = \"user\", name = \"buyer\" }]"),
    ("is = \"back\"", "equals = \"back\""),
    ("\"order_returned\"\nmatch", "\"order_return\"\nmatch"),
    ("\"order_returned\"\nmatch", "\"order_cancelled\"\nmatch"),
    ("[\"account\", \"sku\"]", "[\"account\", \"device\"]"),
    ("match = [\"account\", \"sku\"]\n", ""),
    ("\"return_abuse\"", "\"Return Abuse\""),
    ("\"later_event\"", "\"later\""),
    ("\"30d\"", "\"30 days\""),
    ("kind = \"later_event\"\n", "kind = \"column\"\n"),
    ("[attributes]", "[atributes]"),
    ("[items]", "[items"),
];

/// What is said about each of the cases, in their order.
const SAID: &str = r#"
"csv" => "cvs"
m.toml: 1 mistake
  m.toml:2: source.format: `cvs` is not a format (csv, jsonl); did you mean `csv`?
"csv" => 7
m.toml: 1 mistake
  m.toml:2: source.format: is the number 7, not a text
channel = "shop" /  => 
m.toml: 1 mistake
  m.toml:1: source.channel: is missing
"CNY" => "yuan"
m.toml: 1 mistake
  m.toml:4: source.currency: `yuan` is not a three-letter ISO 4217 currency code such as CNY
"CNY" => "USD"
m.toml: 2 mistakes
  m.toml:13: items.unit_price: counts a unit of CNY, but its currency is USD
  m.toml:15: money.amount: counts a unit of CNY, but its currency is USD
0.01 => 1.5
m.toml: 1 mistake
  m.toml:5: source.max_reject_share: 1.5 must be between 0 and 1
max_reject_share => max_reject_shares
m.toml: 2 mistakes
  m.toml:1: source.max_reject_share: is missing
  m.toml:5: source.max_reject_shares: is not a known key here (channel, currency, delimiter, event_prefix, format, max_reject_share, null_values); did you mean `max_reject_share`?
"%Y-%m-%d" => "%Y-%m-%Ü"
m.toml: 1 mistake
  m.toml:8: order.time.format: `%Y-%m-%Ü` is not a usable time pattern: strftime formatting failed: found unrecognized specifier directive `\xC3`
"%Y-%m-%d" => "%Y-%m"
m.toml: 1 mistake
  m.toml:8: order.time.format: `%Y-%m` is not a usable time pattern: date required to parse datetime: a month/day, day-of-year or week date must be present to create a date, but none were found
"%Y-%m-%d" => "rfc339"
m.toml: 1 mistake
  m.toml:8: order.time.format: `rfc339` is not a time format (rfc3339, epoch_seconds, epoch_millis, seconds_since, %Y-%m-%d %H:%M:%S); did you mean `rfc3339`?
, zone = "Asia/Shanghai" => 
m.toml: 1 mistake
  m.toml:8: order.time.format: `%Y-%m-%d` tells no offset, so `zone` must name a time zone; such as zone = "UTC" or "Asia/Shanghai"
Asia/Shanghai => Asia/Shangai
m.toml: 1 mistake
  m.toml:8: order.time.zone: `Asia/Shangai` is not a known time zone; did you mean `Asia/Shanghai`?
"%Y-%m-%d", zone = "Asia/Shanghai" => "seconds_since"
m.toml: 1 mistake
  m.toml:8: order.time.origin: is missing; `seconds_since` counts from it
"%Y-%m-%d", zone = "Asia/Shanghai" => "seconds_since", origin = "today"
m.toml: 1 mistake
  m.toml:8: order.time.origin: `today` is not an RFC 3339 time such as 2026-02-16T20:00:00Z
 / id = "id" =>  / id = { row_number = false }
m.toml: 1 mistake
  m.toml:7: order.id.row_number: can only be true; else name the id's column
account = "user" => acount = "user"
m.toml: 1 mistake
  m.toml:10: entities.acount: `acount` is not an entity kind (account, device, ip, address, phone, email, payment_instrument, sku, merchant, region, channel); did you mean `account`?
account = "user" => account = "user" / sku = "s"
m.toml: 1 mistake
  m.toml:11: entities.sku: belongs to the items; use `items.sku`
unit = "yuan" => unit = "yaun"
m.toml: 1 mistake
  m.toml:13: items.unit_price.unit: `yaun` is not a unit of money (major, minor, yuan, fen, dollar, cent); did you mean `yuan`?
{ column = "total", unit = "fen" } => { from = "lines" }
m.toml: 1 mistake
  m.toml:15: money.amount.from: `lines` can only be `items`
unit_price = { column = "price", unit = "yuan" } / [money] / amount = { column = "total", unit = "fen" } => [money] / amount = { from = "items" }
m.toml: 1 mistake
  m.toml:14: money.amount: sums items, but `items.unit_price` is not mapped
["age"] => ["age", "age"]
m.toml: 1 mistake
  m.toml:17: attributes.numbers[2]: attribute `age` is there already
["age"] => ["age", { column = "user", name = "buyer" }]
m.toml: 1 mistake
  m.toml:17: attributes.numbers[2]: shows the identifier that `entities.account` hashes
is = "back" => equals = "back"
m.toml: 2 mistakes
  m.toml:19: events[1].when: needs exactly one of is, is_not, starts_with, starts_not_with, present
  m.toml:19: events[1].when.equals: is not a known key here (column, is, is_not, present, starts_not_with, starts_with)
"order_returned" / match => "order_return" / match
m.toml: 1 mistake
  m.toml:20: events[1].fact: `order_return` is not a fact about orders (order_paid, order_cancelled, stock_reserved, order_shipped, order_delivered, order_returned, order_refunded, order_charged_back); did you mean `order_returned`?
"order_returned" / match => "order_cancelled" / match
m.toml: 2 mistakes
  m.toml:18: events[1]: needs `reason = { source, type, level }`
  m.toml:25: labels[1].fact: no [[events]] maps `order_returned`
["account", "sku"] => ["account", "device"]
m.toml: 1 mistake
  m.toml:21: events[1].match: matches `device`, which is not mapped
match = ["account", "sku"] /  => 
m.toml: 1 mistake
  m.toml:18: events[1]: needs either `order` (columns with the order's id) or `match`
"return_abuse" => "Return Abuse"
m.toml: 1 mistake
  m.toml:23: labels[1].head: `Return Abuse` must be lower-case letters, digits and `_`; did you mean `return_abuse`?
"later_event" => "later"
m.toml: 1 mistake
  m.toml:24: labels[1].kind: `later` is not a kind of label (column, number, later_event); did you mean `later_event`?
"30d" => "30 days"
m.toml: 1 mistake
  m.toml:26: labels[1].within: `30 days` is not a span such as `7d`, `12h`, `30m`, `90s` or `2w`
kind = "later_event" /  => kind = "column" / 
m.toml: 5 mistakes
  m.toml:22: labels[1].column: is missing
  m.toml:22: labels[1].known_after: is missing
  m.toml:22: labels[1].positive: is missing
  m.toml:25: labels[1].fact: is not a known key here (column, head, kind, known_after, negative, positive)
  m.toml:26: labels[1].within: is not a known key here (column, head, kind, known_after, negative, positive)
[attributes] => [atributes]
m.toml: 1 mistake
  m.toml:16: atributes: is not a known key here (attributes, entities, events, filter, items, labels, money, order, source); did you mean `attributes`?
[items] => [items
m.toml: 1 mistake
  m.toml:11: toml: unclosed table, expected `]`
"#;

#[test]
fn each_mistake_names_file_line_key_and_a_way_out() {
    assert!(Mapping::parse("m.toml", GOOD).is_ok());
    let all: String = CASES.iter().map(|(from, to)| said(from, to)).collect();
    assert_eq!(all.trim_end(), SAID.trim());
}

#[test]
fn all_mistakes_of_a_file_are_shown_at_their_places() {
    let bad = GOOD.replacen("account =", "acount =", 1).replacen("30d", "30", 1);
    let errors = Mapping::parse("m.toml", &bad).unwrap_err();
    let mut shown = String::new();
    let theme = GraphicalTheme::unicode_nocolor();
    GraphicalReportHandler::new_themed(theme).render_report(&mut shown, &errors).unwrap();
    insta::assert_snapshot!(shown, @r##"
    orderlens::mapping

      × m.toml: 2 mistakes
      │   m.toml:10: entities.acount: `acount` is not an entity kind (account, device, ip, address, phone, email, payment_instrument, sku, merchant, region, channel); did you mean `account`?
      │   m.toml:26: labels[1].within: `30` is not a span such as `7d`, `12h`, `30m`, `90s` or `2w`
        ╭─[m.toml:10:10]
      9 │ [entities]
     10 │ acount = "user"
        ·          ───┬──
        ·             ╰── did you mean `account`?
     11 │ [items]
        ╰────
        ╭─[m.toml:26:10]
     25 │ fact = "order_returned"
     26 │ within = "30"
        ·          ──┬─
        ·            ╰── labels[1].within
        ╰────
    "##);
}

#[test]
fn a_column_that_is_missing_or_there_twice_is_a_mistake_of_the_mapping() {
    let columns = ["id", "at", "user_id", "sku", "price", "total", "age", "kind", "kind"];
    let mapping = Mapping::parse("m.toml", GOOD).unwrap();
    let errors = mapping.check_columns(&columns.map(str::to_owned)).unwrap_err();
    insta::assert_snapshot!(errors, @r##"
    m.toml: 2 mistakes
      m.toml:10: entities.account: `user` is not a column of the input (id, at, user_id, sku, price, total, age, kind, kind); did you mean `user_id`?
      m.toml:19: events[1].when.column: `kind` names 2 columns of the input
    "##);
    let columns = ["id", "at", "user", "sku", "price", "total", "age", "kind", "other"];
    assert!(mapping.check_columns(&columns.map(str::to_owned)).is_ok());
}
