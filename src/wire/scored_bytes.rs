//! Judged orders to the bytes of their journal record.
//!
//! All heads of a decision share the features, so feature, value and weight are
//! kept once; each head adds two columns. That is a third of the plain message.

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use crate::domain::money::Money;
use crate::domain::order::{AttributeValue, Countries, Order};
use crate::domain::record::{ScoreRequest, ScoredOrder};
use crate::domain::risk::{Contribution, RiskAssessment};
use crate::wire::decision_bytes::{
    Listed, Standing, write, write_entity, write_order_key, write_time,
};
use crate::wire::enums::WireEnum;
use crate::wire::message_writer::MessageWriter;

/// Room for a judged order with the evidence of a suspicious one, bytes.
const TYPICAL_BYTES: usize = 16 * 1024;
/// Room for a request, bytes.
const TYPICAL_REQUEST_BYTES: usize = 1024;
/// Where in a record a judged order stands.
const ENTRY_DECISION: u32 = 2;

/// A feature with value and weight; numbers by their bits, so that NaN is equal to itself.
#[derive(PartialEq, Eq, Hash)]
struct Cell<'d> {
    feature: &'d str,
    group: i32,
    value_bits: Option<u64>,
    weight_bits: u64,
}

/// Which cell each contribution of a risk has.
type Columns<'d> = (Vec<u32>, &'d RiskAssessment);

/// The bytes of the record.
pub fn record_bytes(scored: &ScoredOrder) -> Vec<u8> {
    let mut out = MessageWriter::with_capacity(TYPICAL_BYTES);
    out.long_message(ENTRY_DECISION, |out| write_scored(out, scored));
    out.into_bytes()
}

fn write_scored(out: &mut MessageWriter, scored: &ScoredOrder) {
    let decision = &scored.decision;
    out.long_message(1, |out| write_request(out, &scored.request));
    out.long_message(2, |out| write(out, decision, Listed::Elsewhere, Standing::Recorded));
    let mut cells = IndexSet::with_hasher(FxBuildHasher);
    let columns: Vec<Columns<'_>> =
        decision.risks.iter().map(|risk| (cells_of(&mut cells, risk), risk)).collect();
    for cell in &cells {
        out.message(3, |out| {
            out.text(1, cell.feature);
            out.int(2, cell.group);
            if let Some(bits) = cell.value_bits {
                out.double_always(3, f64::from_bits(bits));
            }
            out.double(4, f64::from_bits(cell.weight_bits));
        });
    }
    for (cells, risk) in columns {
        out.long_message(4, |out| {
            out.packed_uints(1, cells.iter().map(|idx| u64::from(*idx)));
            out.packed(2, risk.contributions.iter().map(|shift| shift.log_odds.to_le_bytes()));
        });
    }
    out.packed(5, decision.features.iter().map(|value| value.to_le_bytes()));
}

fn cells_of<'d>(
    cells: &mut IndexSet<Cell<'d>, FxBuildHasher>,
    risk: &'d RiskAssessment,
) -> Vec<u32> {
    let cell_idx = |shift: &'d Contribution| {
        let cell = Cell {
            feature: &shift.feature,
            group: shift.group.to_wire(),
            value_bits: shift.value.map(f64::to_bits),
            weight_bits: shift.weight.to_bits(),
        };
        u32::try_from(cells.insert_full(cell).0).unwrap_or(u32::MAX)
    };
    risk.contributions.iter().map(cell_idx).collect()
}

/// What a request asks, as bytes: all that is recorded of it but its id. Two that ask the
/// same have the same bytes, and no others.
pub fn asked_bytes(request: &ScoreRequest) -> Vec<u8> {
    let mut out = MessageWriter::with_capacity(TYPICAL_REQUEST_BYTES);
    write_asked(&mut out, request);
    out.into_bytes()
}

fn write_request(out: &mut MessageWriter, request: &ScoreRequest) {
    out.text(1, &request.request_id);
    write_asked(out, request);
}

fn write_asked(out: &mut MessageWriter, request: &ScoreRequest) {
    write_time(out, 2, request.event_time);
    out.long_message(3, |out| write_order(out, &request.order));
    out.uint(4, request.max_actions);
    out.uint(5, request.max_contributions);
}

fn write_order(out: &mut MessageWriter, order: &Order) {
    out.message(1, |out| write_order_key(out, &order.key));
    write_money(out, 2, order.amount);
    write_money(out, 3, order.discount);
    for item in &order.items {
        out.message(4, |out| {
            out.text(1, &item.sku.key.to_string());
            out.uint(2, item.quantity);
            write_money(out, 3, item.unit_price);
        });
    }
    for entity in &order.entities {
        out.message(5, |out| write_entity(out, entity));
    }
    if let Some(created_at) = order.account_created_at {
        write_time(out, 6, created_at);
    }
    out.int(7, order.address_kind.map_or(0, WireEnum::to_wire));
    out.int(8, order.payment_kind.map_or(0, WireEnum::to_wire));
    if !order.countries.is_empty() {
        out.message(9, |out| write_countries(out, &order.countries));
    }
    if let Some(km) = order.device_distance_km {
        out.double_always(10, km);
    }
    for (name, value) in &order.attributes {
        out.message(11, |out| {
            out.text(1, name);
            out.message(2, |out| match value {
                AttributeValue::Number(number) => out.double_always(1, *number),
                AttributeValue::Category(word) => out.text_always(2, word),
            });
        });
    }
}

fn write_money(out: &mut MessageWriter, field: u32, money: Option<Money>) {
    if let Some(money) = money {
        out.message(field, |out| {
            out.text(1, money.currency.as_str());
            out.int(2, money.minor_units);
        });
    }
}

fn write_countries(out: &mut MessageWriter, countries: &Countries) {
    let codes = [&countries.ip, &countries.payment, &countries.shipping];
    for (field, code) in (1..).zip(codes) {
        if let Some(code) = code {
            out.text_always(field, code);
        }
    }
}
