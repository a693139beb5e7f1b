//! Laws of an import: nothing vanishes, order and packing do not matter,
//! labels come when they are known.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};

use crate::domain::entity::IdentityKey;
use crate::domain::event::{Event, Fact};
use crate::import::Limited;
use crate::import::error::Error;
use crate::import::mapping::Mapping;
use crate::import::sorting::RUN_BYTES_MAX;
use crate::import::summary::ImportSummary;

/// Order lines where an id that starts with R takes goods back.
pub(super) const SHOP: &str = r#"
[source]
format = "csv"
channel = "shop"
currency = "CNY"
max_reject_share = 1
[order]
id = "id"
time = { column = "at", format = "epoch_seconds" }
[entities]
account = "user"
[items]
sku = "sku"
quantity = "n"
unit_price = { column = "price", unit = "yuan" }
[money]
amount = { from = "items" }
[attributes]
numbers = ["age"]
[[filter]]
column = "id"
starts_not_with = "X"
[[events]]
when = { column = "id", starts_with = "R" }
fact = "order_returned"
match = ["account", "sku"]
[[labels]]
head = "return_abuse"
kind = "later_event"
fact = "order_returned"
within = "30d"
[[labels]]
head = "payment_fraud"
kind = "column"
column = "fraud"
positive = ["1"]
negative = ["0"]
known_after = "7d"
"#;
pub(super) const HEADER: &str = "id,at,user,sku,n,price,age,fraud\n";
const DAY: i64 = 86_400;

#[derive(Debug, PartialEq)]
pub(super) struct Imported {
    pub(super) summary: ImportSummary,
    events: String,
    rejects: String,
}

pub(super) fn import(mapping: &str, input: &[u8], run_bytes_max: usize) -> Result<Imported, Error> {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    fs::write(place("input"), input).unwrap();
    let mapping = Mapping::parse("m.toml", mapping).unwrap_or_else(|errors| panic!("{errors}"));
    let identity = IdentityKey::from_secret(b"test");
    let limited = Limited { mapping: &mapping, identity: &identity, run_bytes_max };
    let (output, rejects) = (place("events"), place("rejects"));
    let imported = limited.run(&place("input"), &output, &rejects, &mut |_, _| {});
    assert_eq!(output.exists(), imported.is_ok(), "no half-written output");
    assert!(!place("events.sorting").exists(), "no runs are left behind");
    let mut summary = imported?;
    let has_rejects = 0 < summary.rejected + summary.unmatched;
    assert_eq!(summary.rejects_path.take().is_some(), has_rejects);
    let events = fs::read_to_string(&output).unwrap();
    Ok(Imported { summary, events, rejects: fs::read_to_string(&rejects).unwrap_or_default() })
}

fn shop(rows: &[String]) -> Imported {
    import(SHOP, (HEADER.to_owned() + &rows.join("\n")).as_bytes(), RUN_BYTES_MAX).unwrap()
}

/// `day event` of each line, by the end of the event id.
pub(super) fn told(imported: &Imported) -> Vec<String> {
    let events = imported.events.lines().map(|line| serde_json::from_str::<Event>(line).unwrap());
    events
        .map(|event| {
            let day = event.event_time.0 / 1_000_000 / DAY;
            let what = event.event_id.strip_prefix("shop/").unwrap_or(&event.event_id).to_owned();
            if let Fact::Label(label) = event.fact {
                return format!("{day} {what} = {}", label.value);
            }
            format!("{day} {what}")
        })
        .collect()
}

pub(super) fn line(id: &str, day: i64, user: &str, sku: &str, n: i64) -> String {
    format!("{id},{},{user},{sku},{n},10,30,", day * DAY)
}

#[test]
fn a_label_comes_when_it_is_known_unless_the_source_ends_before() {
    let rows = [
        line("a", 0, "u", "tea", 1),  // given back on day 5
        line("b", 1, "u", "cup", 1),  // given back too late
        line("c", 40, "u", "pot", 1), // its 30 days end after the data
        line("d", 50, "v", "tea", 1), // given back, its 30 days end after the data
        line("e", 2, "", "tea", 1),   // nobody to match
        line("R1", 5, "u", "tea", -1),
        line("R2", 35, "u", "cup", -1),
        line("R3", 60, "v", "tea", -1),
        line("R4", 61, "w", "tea", -1), // never ordered
    ];
    let imported = shop(&rows);
    insta::assert_snapshot!(told(&imported).join("\n"), @r#"
    0 a/placed
    1 b/placed
    2 e/placed
    5 a/order_returned/tea
    5 a/label/return_abuse/tea = 1
    31 b/label/return_abuse = 0
    35 b/order_returned/cup
    40 c/placed
    50 d/placed
    60 d/order_returned/tea
    60 d/label/return_abuse/tea = 1
    "#);
    let counts = &imported.summary.labels["return_abuse"];
    let counted = (counts.positive_orders, counts.negative_orders);
    assert_eq!((counted, counts.censored_orders, counts.unlabeled_orders), ((2, 1), 1, 1));
    assert_eq!(imported.rejects, "line,reason,column,value\n10,unmatched,,\n");
    assert_eq!(imported.summary.unmatched, 1);
}

#[test]
fn a_return_belongs_to_the_latest_earlier_order_that_has_none_yet() {
    let rows = [
        line("a", 0, "u", "tea", 1),
        line("b", 2, "u", "tea", 1),
        line("c", 4, "u", "tea", 1),
        line("R1", 3, "u", "tea", -1),
        line("R2", 4, "u", "tea", -1), // not later than c
        line("R3", 5, "u", "tea", -1),
        line("R4", 6, "u", "tea", -1), // all are given back
    ];
    let imported = shop(&rows);
    let returned: Vec<String> =
        told(&imported).into_iter().filter(|told| told.contains("order_returned")).collect();
    let expected = ["3 b/order_returned/tea", "4 a/order_returned/tea", "5 c/order_returned/tea"];
    assert_eq!(returned, expected);
    assert_eq!(imported.summary.unmatched, 1);
}

#[test]
fn a_column_label_is_known_a_fixed_span_after_the_order() {
    let row = |id: &str, fraud: &str| format!("{id},0,u,tea,1,10,30,{fraud}");
    let imported = shop(&[row("a", "1"), row("b", "0"), row("c", ""), row("d", "maybe")]);
    let labels: Vec<String> =
        told(&imported).into_iter().filter(|told| told.contains("fraud")).collect();
    assert_eq!(labels, ["7 a/label/payment_fraud = 1", "7 b/label/payment_fraud = 0"]);
    assert_eq!(imported.rejects, "line,reason,column,value\n5,bad_label,fraud,maybe\n");
}

#[test]
fn every_bad_cell_is_listed_with_line_and_reason() {
    let imported = shop(&[
        "a,1,u,tea,1,10,30,".to_owned(),
        ",1,u,tea,1,10,30,".to_owned(),
        "b,soon,u,tea,1,10,30,".to_owned(),
        "c,1,u,tea,0,10,30,".to_owned(),
        "d,1,u,tea,1.5,10,30,".to_owned(),
        "e,1,u,tea,1,-10,30,".to_owned(),
        "f,1,u,tea,1,ten,30,".to_owned(),
        "g,1,u,,1,10,30,".to_owned(),
        "h,1,u,tea,1,10,NaN,".to_owned(),
        "i,1,u,tea".to_owned(),
        format!("j,1,{},tea,1,10,30,", "u".repeat(257)),
        "X,soon,,,,,,".to_owned(),
        "\"k\",1,\"a \"\"quoted\"\", name\",tea,1,10,30,".to_owned(),
        "R,1,u,tea,0,10,30,".to_owned(),
    ]);
    insta::assert_snapshot!(imported.rejects, @r#"
    line,reason,column,value
    3,empty_id,id,
    4,bad_time,at,soon
    5,bad_quantity,n,0
    6,bad_quantity,n,1.5
    7,bad_price,price,-10
    8,bad_price,price,ten
    9,empty_sku,sku,
    10,bad_number,age,NaN
    11,field_count,,
    12,bad_text,user,
    15,bad_quantity,n,0
    "#);
    let summary = &imported.summary;
    assert_eq!((summary.rows, summary.orders, summary.filtered), (14, 2, 1));
    assert_eq!(summary.first_rejects.len(), 10);
    assert_eq!(summary.first_rejects[9].line, 12);
}

#[test]
fn too_many_bad_rows_end_the_import_and_are_still_listed() {
    let strict = SHOP.replace("max_reject_share = 1", "max_reject_share = 0.5");
    let rows = |bad: &str| {
        format!("{HEADER}a,1,u,tea,1,10,30,\nb,{bad},u,tea,1,10,30,\nc,x,u,tea,1,1,1,\n")
    };
    let error = import(&strict, rows("x").as_bytes(), RUN_BYTES_MAX).unwrap_err();
    assert!(matches!(error, Error::TooManyRejects { rejected: 2, rows: 3, .. }), "{error}");
    let shown = error.to_string();
    assert!(
        shown.contains("mostly bad_time in column `at`: m.toml:9: order.time.column"),
        "{shown}"
    );
    assert!(import(&strict, rows("1").as_bytes(), RUN_BYTES_MAX).is_ok());
}

#[test]
fn a_gzip_file_that_is_cut_off_ends_the_import() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all((HEADER.to_owned() + &line("a", 1, "u", "tea", 1)).as_bytes()).unwrap();
    let mut packed = encoder.finish().unwrap();
    packed.truncate(packed.len() - 6);
    let error = import(SHOP, &packed, RUN_BYTES_MAX).unwrap_err();
    assert!(matches!(error, Error::Input { .. }), "{error}");
}

#[test]
fn rows_of_one_order_become_one_order_and_conflicts_are_counted() {
    let imported = shop(&[
        "a,100,u,tea,2,1.50,30,".to_owned(),
        "b,200,v,cup,1,8,,".to_owned(),
        "a,99,u,cup,1,8,31,".to_owned(),
    ]);
    let first = imported.events.lines().next().unwrap();
    let Fact::OrderPlaced(order) = serde_json::from_str::<Event>(first).unwrap().fact else {
        panic!("{first}");
    };
    assert_eq!(order.amount.unwrap().to_string(), "CNY 11.00");
    assert_eq!(order.items.iter().map(|item| item.quantity).sum::<u32>(), 3);
    // Two ages and two times; the first age and the earliest time stay.
    assert_eq!(imported.summary.conflicts, 2);
    assert!(first.contains("\"age\":30.0") && first.contains("00:01:39Z"), "{first}");
}

#[test]
fn nested_json_with_a_list_of_items_is_mapped_by_dotted_paths() {
    let mapping = r#"
[source]
format = "jsonl"
channel = { column = "shop" }
event_prefix = "p"
max_reject_share = 1
[order]
id = ["no", "part"]
time = { column = "placed.at", format = "rfc3339" }
address_kind = { column = "to.kind", map = { home = "residential" } }
countries = { shipping = { column = "to.country", map = { China = "CN" } } }
[entities]
address = ["to.street", "to.house"]
[items]
list = "lines"
sku = "lines.sku"
quantity = "lines.n"
[[events]]
when = { column = "event", is = "paid" }
fact = "order_paid"
order = ["no", "part"]
amount = { column = "paid", unit = "fen" }
"#;
    let input = concat!(
        r#"{"shop":"s","no":7,"part":"x","placed":{"at":"2026-01-01T00:00:00Z"},"#,
        r#""to":{"kind":"home","country":"China","street":"A","house":1},"#,
        r#""lines":[{"sku":"tea","n":2},{"sku":"cup","n":1}]}"#,
        "\n\n",
        r#"{"shop":"s","no":7,"part":"x","event":"paid","paid":1250,"placed":{"at":"2026-01-02T00:00:00Z"}}"#,
        "\nnot json\n",
        r#"{"shop":"s","no":{"a":1},"part":"x","placed":{"at":"2026-01-02T00:00:00Z"}}"#,
    );
    let imported = import(mapping, input.as_bytes(), RUN_BYTES_MAX).unwrap();
    insta::assert_snapshot!(format!("{}{}", imported.events, imported.rejects), @r#"
    {"event_id":"p/s/7|x/placed","event_time":"2026-01-01T00:00:00Z","fact":{"order_placed":{"key":{"channel":"s","order_id":"7|x","revision":0},"items":[{"sku":{"kind":"sku","key":"cup"},"quantity":1,"unit_price":null},{"sku":{"kind":"sku","key":"tea"},"quantity":2,"unit_price":null}],"entities":[{"kind":"address","key":"h1_864f5aceed33eca4c94fdfd017136071"}],"address_kind":"residential","countries":{"ip":null,"payment":null,"shipping":"CN"}}}}
    {"event_id":"p/s/7|x/order_paid/1767312000000000/1250","event_time":"2026-01-02T00:00:00Z","fact":{"order_paid":{"order":{"channel":"s","order_id":"7|x","revision":0},"amount":{"currency":"CNY","minor_units":1250}}}}
    line,reason,column,value
    4,not_json,,
    5,not_a_value,,
    "#);

    let error = import(&mapping.replace("placed.at", "placed.on"), input.as_bytes(), RUN_BYTES_MAX);
    let Err(Error::Mapping(errors)) = error else { panic!("{error:?}") };
    assert!(errors.to_string().contains("did you mean `placed.at`?"), "{errors}");
}

#[test]
fn a_personal_identifier_is_in_neither_file() {
    let long = "wang@example.com".repeat(20);
    let rows = [line("a", 1, "wang@example.com", "tea", 1), line("b", 1, &long, "tea", 1)];
    let imported = shop(&rows);
    assert_eq!(imported.summary.rejected, 1);
    assert!(!imported.events.contains("wang") && !imported.rejects.contains("wang"));
}

#[test]
fn the_shipped_mappings_have_no_mistakes() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/mappings");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        Mapping::parse(&path.display().to_string(), &text)
            .unwrap_or_else(|errors| panic!("{errors}"));
    }
}

/// A row of a small world in which everything meets everything; some are bad.
fn any_row() -> impl Strategy<Value = String> {
    let id = prop_oneof![
        4 => "[a-h]", 3 => "R[0-9]", 1 => Just("X".to_owned()), 1 => Just(String::new()),
    ];
    let cell = |good: &'static str, bad: &'static str| prop_oneof![9 => good.prop_map(|text: String| text), 1 => Just(bad.to_owned())];
    (
        id,
        0..80_i64,
        cell("[uvw]", ""),
        cell("[ts]", ""),
        -2..4_i64,
        cell("[0-9]", "x"),
        cell("[01]?", "?"),
    )
        .prop_map(|(id, day, user, sku, n, price, fraud)| {
            // An order happens at one time and belongs to one account: its rows do not conflict.
            let is_order = id.len() == 1 && id != "X";
            let letter = id.bytes().next().map_or(0, usize::from);
            let day = if is_order { [0, 9, 18, 27, 36, 45, 54, 63][letter % 8] } else { day };
            let user = if is_order { ["u", "v", ""][letter % 3].to_owned() } else { user };
            format!("{id},{},{user},{sku},{n},{price},30,{fraud}", day * DAY)
        })
}

proptest! {
    #[test]
    fn no_row_vanishes(rows in proptest::collection::vec(any_row(), 0..60)) {
        let imported = shop(&rows);
        let s = &imported.summary;
        prop_assert_eq!(s.rows, rows.len() as u64);
        prop_assert_eq!(s.rows, s.accepted + s.filtered + s.rejected + s.unmatched);
        prop_assert_eq!(s.rejected, s.rejected_by_reason.values().sum::<u64>());
        let n_listed = imported.rejects.lines().count().saturating_sub(1) as u64;
        prop_assert_eq!(n_listed, s.rejected + s.unmatched);
        prop_assert_eq!(s.events, imported.events.lines().count() as u64);
        for counts in s.labels.values() {
            let n_orders = counts.positive_orders + counts.negative_orders
                + counts.censored_orders + counts.unlabeled_orders;
            prop_assert_eq!(n_orders, s.orders);
        }
    }

    #[test]
    fn events_leave_by_time_with_ids_of_their_own(rows in proptest::collection::vec(any_row(), 0..60)) {
        let imported = shop(&rows);
        let events: Vec<Event> =
            imported.events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert!(events.is_sorted_by_key(Event::known_at));
        let mut ids: Vec<_> = events.iter().map(|event| &event.event_id).collect();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), events.len());
    }

    #[test]
    fn the_order_of_rows_does_not_matter(
        (rows, shuffled) in proptest::collection::vec(any_row(), 0..60)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
    ) {
        let (straight, shuffled) = (shop(&rows), shop(&shuffled));
        prop_assert_eq!(straight.events, shuffled.events);
        prop_assert_eq!(straight.summary.labels, shuffled.summary.labels);
    }

    #[test]
    fn packing_and_memory_do_not_matter(rows in proptest::collection::vec(any_row(), 0..60)) {
        let plain = HEADER.to_owned() + &rows.join("\n");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(plain.as_bytes()).unwrap();
        let packed = encoder.finish().unwrap();
        let expected = shop(&rows);
        prop_assert_eq!(&import(SHOP, &packed, RUN_BYTES_MAX).unwrap(), &expected);
        prop_assert_eq!(&import(SHOP, plain.as_bytes(), 500).unwrap(), &expected);
    }
}
