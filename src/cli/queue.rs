//! `orderlens queue`: which orders people should look at first.

use clap::Args;
use miette::IntoDiagnostic as _;
use serde::Serialize;

use crate::cli::ask::{AskArgs, refused};
use crate::cli::output::{say, say_json};
use crate::cli::paint::{Align, Cell, Ink, Tone, table};
use crate::cli::words::word;
use crate::domain::money::{Currency, grouped};
use crate::domain::text::Language;
use crate::wire::pb::v1 as pb;

/// Minutes in an hour.
const MINUTES: f64 = 60.0;

/// How much time there is, and for which orders.
#[derive(Clone, Debug, Args)]
pub struct QueueArgs {
    /// Hours of all reviewers together; those of the strategy unless told
    #[arg(long)]
    hours: Option<f64>,
    /// Leave out orders placed longer ago, in hours
    #[arg(long, default_value_t = 168)]
    placed_within_hours: u32,
    /// Most orders to show
    #[arg(long, default_value_t = 20)]
    max_orders: u32,
    #[command(flatten)]
    asking: AskArgs,
}

/// The queue as JSON.
#[derive(Serialize)]
struct Queue {
    orders: Vec<Row>,
    minutes: f64,
    n_waiting: u64,
    waiting_minutes: f64,
    n_looked_at: u64,
    strategy_hash: String,
}

/// An order that waits.
#[derive(Serialize)]
struct Row {
    decision_id: String,
    channel: String,
    order_id: String,
    gain_minor: f64,
    currency_code: String,
    minutes: f64,
    place: &'static str,
    propensity: f64,
}

/// Asks the server and shows the queue.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub fn run(args: &QueueArgs) -> miette::Result<()> {
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    let queue = runtime.block_on(ask(args))?;
    if args.asking.json {
        return say_json(&queue);
    }
    say(page(args.asking.lang.into(), args.asking.page().ink, &queue));
    Ok(())
}

async fn ask(args: &QueueArgs) -> miette::Result<Queue> {
    let mut client = args.asking.connect_reviews().await?;
    let request = pb::GetReviewQueueRequest {
        minutes: args.hours.map(|hours| hours * MINUTES),
        placed_within_hours: args.placed_within_hours,
        max_orders: args.max_orders,
    };
    let answer = client.get_review_queue(request).await.map_err(|status| refused(&status))?;
    let pb::GetReviewQueueResponse {
        orders,
        minutes,
        n_waiting,
        waiting_minutes,
        n_looked_at,
        strategy_hash,
    } = answer.into_inner();
    let orders = orders.into_iter().map(row).collect();
    Ok(Queue { orders, minutes, n_waiting, waiting_minutes, n_looked_at, strategy_hash })
}

fn row(order: pb::QueuedOrder) -> Row {
    let place = match order.place() {
        pb::QueuePlace::Ranked => "ranked",
        pb::QueuePlace::Drawn => "drawn",
        pb::QueuePlace::Waits | pb::QueuePlace::Unspecified => "waits",
    };
    let key = order.order.unwrap_or_default();
    Row {
        decision_id: order.decision_id,
        channel: key.channel,
        order_id: key.order_id,
        gain_minor: order.gain_minor,
        currency_code: order.currency_code,
        minutes: order.minutes,
        place,
        propensity: order.propensity,
    }
}

/// The queue for people.
fn page(language: Language, ink: Ink, queue: &Queue) -> String {
    let (n, looked_at) = (queue.n_waiting, queue.n_looked_at);
    let [hours, all] = [queue.minutes, queue.waiting_minutes].map(|it| grouped(it / MINUTES, 1));
    let summary = match language {
        Language::English => format!(
            "{n} orders wait for a review and would take {all} hours; in {hours} hours people look at {looked_at}"
        ),
        Language::Chinese => {
            format!("{n} 笔订单待审，全部需 {all} 小时；{hours} 小时内可审 {looked_at} 笔")
        }
    };
    if queue.orders.is_empty() {
        return summary;
    }
    let heading = |en, zh| Cell::new(Tone::Quiet, word(language, en, zh));
    let mut rows = vec![vec![
        heading("order", "订单"),
        heading("gain", "审核收益"),
        heading("minutes", "分钟"),
        heading("why", "缘由"),
        heading("chance", "被审概率"),
        heading("decision", "决策"),
    ]];
    for order in &queue.orders {
        let digits = Currency::parse(&order.currency_code).map_or(0, Currency::exponent);
        let gain = order.gain_minor / 10_f64.powf(f64::from(digits));
        let (tone, why) = match order.place {
            "ranked" => (Tone::Strong, word(language, "gains most", "收益最高")),
            "drawn" => (Tone::Normal, word(language, "drawn", "随机抽取")),
            _ => (Tone::Quiet, word(language, "no time", "暂无人力")),
        };
        rows.push(vec![
            Cell::new(tone, format!("{}/{}", order.channel, order.order_id)),
            Cell::new(tone, format!("{} {}", grouped(gain, 2), order.currency_code)),
            Cell::new(tone, grouped(order.minutes, 0)),
            Cell::new(tone, why),
            Cell::new(Tone::Quiet, format!("{:.1} %", 100.0 * order.propensity)),
            Cell::new(Tone::Quiet, order.decision_id.as_str()),
        ]);
    }
    let aligns = [Align::Start, Align::End, Align::End, Align::Start, Align::End, Align::Start];
    format!("{}\n{summary}", table(ink, &aligns, &rows).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_what_waits_and_why_in_both_languages() {
        let order = |place, gain_minor| Row {
            decision_id: "0192".to_owned(),
            channel: "app".to_owned(),
            order_id: "A-1".to_owned(),
            gain_minor,
            currency_code: "CNY".to_owned(),
            minutes: 6.0,
            place,
            propensity: 0.25,
        };
        let queue = Queue {
            orders: vec![order("ranked", 123_456.0), order("drawn", 50.0), order("waits", -10.0)],
            minutes: 12.0,
            n_waiting: 3,
            waiting_minutes: 18.0,
            n_looked_at: 2,
            strategy_hash: String::new(),
        };
        let pages = [Language::English, Language::Chinese].map(|it| page(it, Ink::Plain, &queue));
        insta::assert_snapshot!(pages.join("\n\n"));
    }
}
