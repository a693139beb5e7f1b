//! Versions of the strategy as a table for people.

use crate::cli::paint::{Align, Cell, Ink, Tone, table};
use crate::cli::words::word;
use crate::domain::text::Language;
use crate::domain::time::Timestamp;
use crate::wire::pb::v1 as pb;

/// Digits of a hash that people see; the commands take as few.
const HASH_DIGITS: usize = 12;

/// Every version, the newest first, and which of them judge.
pub fn page(language: Language, ink: Ink, listed: &pb::ListStrategiesResponse) -> String {
    let heading = |en, zh| Cell::new(Tone::Quiet, word(language, en, zh));
    let mut rows = vec![vec![
        heading("version", "版本"),
        heading("name", "名称"),
        heading("judges", "生效"),
        heading("proposed by", "提交人"),
        heading("approved by", "审批人"),
        heading("last activated", "最近生效"),
    ]];
    for version in &listed.strategies {
        let share = share(language, listed, &version.hash);
        let tone = if share.is_empty() { Tone::Normal } else { Tone::Strong };
        rows.push(vec![
            Cell::new(tone, short(&version.hash)),
            Cell::new(tone, version.name.as_str()),
            Cell::new(Tone::Good, share),
            Cell::new(Tone::Normal, who(language, version.proposed.as_ref())),
            Cell::new(Tone::Normal, who(language, version.approved.as_ref())),
            Cell::new(Tone::Quiet, when(version.activated.as_ref())),
        ]);
    }
    let mut text = table(ink, &[Align::Start; 6], &rows);
    if !listed.revert_hash.is_empty() {
        let before = word(language, "`revert` brings back", "`revert` 将恢复");
        text = format!("{text}  {before} {}", short(&listed.revert_hash));
    }
    text
}

/// One line about a version after a step.
pub fn signed(language: Language, version: &pb::StrategyVersion) -> String {
    let state = if version.approved.is_some() || version.proposed.is_none() {
        word(language, "approved", "已批准")
    } else {
        word(language, "waits for approval by somebody else", "等待他人审批")
    };
    format!("{} `{}` {state}\n{}", short(&version.hash), version.name, version.hash)
}

/// Which accounts a version judges, for people; empty when none.
fn share(language: Language, listed: &pb::ListStrategiesResponse, hash: &str) -> String {
    let tried = listed.staged.as_ref().map_or(0, |staged| staged.percent);
    let is_tried = listed.staged.as_ref().is_some_and(|staged| staged.hash == hash);
    let of_accounts = word(language, "% of accounts", "% 账户");
    match (is_tried, listed.active_hash == hash) {
        (true, _) => format!("{tried} {of_accounts}"),
        (false, true) if tried == 0 => word(language, "all accounts", "全部账户").to_owned(),
        (false, true) => format!("{} {of_accounts}", 100_u32.saturating_sub(tried)),
        (false, false) => String::new(),
    }
}

fn who(language: Language, signature: Option<&pb::StrategySignature>) -> String {
    match signature {
        None => "–".to_owned(),
        Some(signature) if signature.by.is_empty() => {
            word(language, "strategy file", "策略文件").to_owned()
        }
        Some(signature) => signature.by.clone(),
    }
}

fn when(signature: Option<&pb::StrategySignature>) -> String {
    let at = signature.and_then(|signature| signature.at);
    at.map_or_else(
        || "–".to_owned(),
        |at| Timestamp(at.seconds.saturating_mul(1_000_000)).to_string(),
    )
}

fn short(hash: &str) -> &str {
    hash.get(..HASH_DIGITS).unwrap_or(hash)
}
