//! A synthetic marketplace with known truth.
//!
//! [`stream`] writes it, [`world`] runs it, [`calendar`] decides what happens on
//! which day, an author per file plans the orders, [`aftermath`] draws what
//! follows and [`telling`] turns numbers into sealed facts. Everything is marked
//! synthetic: event ids, order ids, channels, truth rows.
//!
//! Shares are of all orders and are in [`settings::Shares`]; `c` is the careful
//! part of bad rings (20 %; 35 % after drift), which hides its traces.
//!
//! | archetype | share | author | what it does |
//! |---|---|---|---|
//! | shopper | rest | [`honest`] | 6 personas, Zipf tastes over 8 categories, daily rhythm, weekends × 1.18; 9 % of orders at 20–50 % off; 22 % express; 3.5 % foreign cards; 1.2 % to forwarders; own phone (87 %), card, contacts; 30 % share a household; 6 % send presents; 8 % have a second account on another channel; accounts median 350 days old, σ 1.2; 10 newcomers per 100 orders, 70 % order soon (median 1.5 h), 65 % of them one SKU with a 30–50 % welcome coupon; returns by category 0.5–12 %; 3 % called off |
//! | traveler, hotel guest | 3.5 % | [`honest`] | by persona 1–35 % of orders from a hotel or abroad; half of the hotel orders go there |
//! | dormitory, office, locker | 8 % | [`honest`] | one address for hundreds; dormitory and office share one network too |
//! | of these, flash sales | 0.5 % | [`groups`] | 8–24 residents order within 2–15 minutes, each something else |
//! | carrier networks | 15–40 % | [`people`] | three per region, of all mobile orders |
//! | family | 1 % | [`groups`] | 3–8 members (50 % known customers, 35 % old accounts, 15 % new), one foreign IP, 8–20 orders in 2–5 minutes (half) or 10–60; gift baskets of 1–5 lines; own phones and cards, 70 % foreign; 3–9 homes of relatives; days 20–34 of every 60 × 5; 60 % order again |
//! | group buyer | 0.8 % | [`groups`] | 8–25 known customers, same SKU, one pick-up home, 20–42 % off, 40 % over one network |
//! | drop fan | 2 % | [`honest`] | one limited SKU (22 % two, 8 % three pieces), 60 % on the day of release, within minutes |
//! | corporate | 1 % | [`honest`] | 10–60 pieces of one of two SKUs, one office, bank transfer |
//! | coupon gang | 1 % | [`gangs`] | bursts of 12–36, gaps 8–40 s, one IP, 1–4 devices (40 % emulators), 2 addresses (lockers and forwarders shared with honest people, homes), wallets ÷ 6, phones ÷ 4, 1–3 SKUs, 35–50 % off, accounts under 6 hours old. `c`: gaps 15–90 min, aged accounts, IPs ÷ 3, devices ÷ 2, homes ÷ 4, 15–40 % off |
//! | reseller ring | 0.8 % | [`resellers`] | 6–20 orders after each weekly release, at most 3 pieces, hotels (80 %) or forwarders, cards ÷ 3 (70 % foreign), phones ÷ 3, 300–3,000 km, 65 % new accounts. `c`: homes, 80 % domestic cards, own phones, 1–2 pieces, over a day |
//! | stolen card, account takeover | 0.6 % | [`thieves`] | 2–7 orders in 1–2 days, 35 % on somebody's old account, new cards (40 % foreign), mostly electronics and luxury, 60 % express, one drop address and device. `c`: 1–2 orders, own devices, homes, 10 % foreign, cards on file |
//! | brushing ring | 0.8 % | [`brushing`] | 10–40 orders for one cheap SKU of one shop every 8–45 min ± 10 %, accounts × 3, empty homes; never back. `c`: gaps × 0.2–4, one order per account |
//! | return abuser | 1 % returned | [`brushing`] | known customers, clothes, 85 % come back after 5–20 days |
//!
//! A gang or reseller ring strikes again with probability 0.4 and then keeps
//! phones and addresses, or cards and phones.
//!
//! | head | positive becomes known | told as negative, matures |
//! |---|---|---|
//! | `payment_fraud`, `chargeback` | with the chargeback: log-normal, median 25 days, σ 0.71; 3 % never; honest 0.04 % (`chargeback` only) | 45 days: later ones (a fifth) are label noise |
//! | `reseller_hoarding` | 2–14 days after the release, the whole ring | 21 days |
//! | `promo_abuse` | 2–12 days after the burst, the whole gang | 21 days |
//! | `fake_order` | platform audit 3–20 days after the start | 30 days |
//! | `return_abuse`, `return` | at the return, at most 29 days | 30 days |
//! | `repurchase_value` | margin of later orders of the same customer, CNY | 45 days |
//! | `price_index` | price ÷ list price; all limited SKUs, 1 in 8 others | 7 days |
//!
//! Noise: 2 % of positives are never told, 0.03 % of honest orders are told as bad.

pub mod aftermath;
pub mod brushing;
pub mod calendar;
pub mod dice;
pub mod gangs;
pub mod goods;
pub mod groups;
pub mod heads;
pub mod honest;
#[cfg(test)]
mod laws;
pub mod market;
pub mod operator;
pub mod pending;
pub mod people;
pub mod resellers;
pub mod rule;
pub mod scenarios;
pub mod scene;
pub mod settings;
pub mod stream;
pub mod telling;
pub mod thieves;
pub mod truth;
pub mod world;
