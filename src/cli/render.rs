//! A decision as a page for a terminal: what it is, what follows, what to do.

use std::fmt::Write as _;

use crate::cli::blind_line::blind;
use crate::cli::exploration_line::exploration_line;
use crate::cli::paint::{Align, Cell, Ink, Tone, bar, diverging_bar, major, short, signed, table};
use crate::cli::rules_section::rules_section;
use crate::cli::turns::turns;
use crate::cli::words::{self, word};
use crate::domain::decision::{ActionKind, Decision, DecisionState};
use crate::domain::impact::{ActionImpact, ImpactKind, ImpactPart, ImpactUnit, RecommendedAction};
use crate::domain::money::Currency;
use crate::domain::risk::{Contribution, RiskAssessment, RiskBand};
use crate::domain::text::Language;

/// Contributions shown per risk; the others are one line.
const CONTRIBUTIONS_SHOWN: usize = 6;
/// Recommended actions whose impact is shown.
const RECOMMENDED: usize = 3;
/// Width of a probability's bar.
const BAR_COLUMNS: usize = 24;
/// Width of each side of a contribution's bar.
const SIDE_COLUMNS: usize = 12;

/// For whom a page is made.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Which language.
    pub language: Language,
    /// Whether colors are understood.
    pub ink: Ink,
}

impl Page {
    /// The whole answer, in three layers.
    pub fn decision(self, decision: &Decision) -> String {
        let mut text = self.heading(decision);
        text += &self.title("1", "What it is", "这是什么订单");
        text += &self.risks(&decision.risks);
        for risk in explained(&decision.risks) {
            text += &self.contributions(risk);
        }
        for (idx, reason) in decision.reasons.iter().enumerate() {
            let gap = if idx == 0 { "\n" } else { "" };
            let _ = writeln!(text, "{gap}  • {}", reason.text.in_language(self.language));
        }
        text += &self.evidence(&decision.evidence);
        text += &if decision.is_blind { blind(self) } else { self.advice(decision) };
        text += &self.footer(decision);
        text
    }

    /// What follows from each action, and what to do.
    fn advice(self, decision: &Decision) -> String {
        let mut text = self.title("2", "What follows", "会有什么后果");
        text += &self.impacts(decision);
        text += &self.title("3", "What to do", "建议怎么做");
        let currency = decision.impacts.first().map_or(Currency::CNY, |it| it.currency);
        text += &self.actions(&decision.actions, currency);
        text += &turns(self, &decision.counterfactuals);
        text += &exploration_line(self, decision);
        text += &rules_section(self, decision);
        text
    }

    /// The answer in one line, for a stream of them.
    pub fn line(self, decision: &Decision) -> String {
        let worst = leading(&decision.risks);
        let risk = worst.map_or_else(String::new, |risk| {
            let head = words::head(self.language, &risk.head);
            let text = format!("{head} {}", percent(risk.probability.value()));
            self.ink.paint(band_tone(risk.band), &text)
        });
        let action = decision.actions.first().map_or_else(String::new, |first| {
            let p_best = percent(first.p_best.value());
            format!("{} ({p_best})", words::action(self.language, first.action))
        });
        format!("{}/{}  {risk}  → {action}", decision.order.channel, decision.order.order_id)
    }

    pub(super) fn word(self, en: &'static str, zh: &'static str) -> &'static str {
        word(self.language, en, zh)
    }

    fn heading(self, decision: &Decision) -> String {
        let order = &decision.order;
        let name = format!("{} {}", self.word("Order", "订单"), order.order_id);
        let state = words::state(self.language, decision.state);
        let tone = match decision.state {
            DecisionState::Final => Tone::Quiet,
            DecisionState::Degraded | DecisionState::Abstained => Tone::Warn,
        };
        let of = format!(
            "{} {} · {} {} · {}",
            self.word("channel", "渠道"),
            order.channel,
            self.word("revision", "版本"),
            order.revision,
            decision.times.event_time,
        );
        let id = format!("{} {}", self.word("decision", "决策"), decision.decision_id);
        format!(
            "{}  {}\n{}  {}\n",
            self.ink.paint(Tone::Strong, &name),
            self.ink.paint(Tone::Quiet, &of),
            self.ink.paint(Tone::Quiet, &id),
            self.ink.paint(tone, state),
        )
    }

    fn title(self, number: &str, en: &'static str, zh: &'static str) -> String {
        let title = format!("{number}  {}", self.word(en, zh));
        format!("\n{}\n", self.ink.paint(Tone::Strong, &title))
    }

    fn risks(self, risks: &[RiskAssessment]) -> String {
        let mut sorted: Vec<&RiskAssessment> = risks.iter().collect();
        sorted.sort_by(|a, b| b.probability.value().total_cmp(&a.probability.value()));
        let row = |risk: &&RiskAssessment| {
            let (low, high) = risk.interval;
            let tone = band_tone(risk.band);
            let interval = format!("{} – {}", percent(low.value()), percent(high.value()));
            let support = format!("n = {}", risk.n_support);
            vec![
                Cell::new(Tone::Normal, words::head(self.language, &risk.head)),
                Cell::new(tone, bar(risk.probability.value(), BAR_COLUMNS)),
                Cell::new(Tone::Strong, percent(risk.probability.value())),
                Cell::new(tone, words::band(self.language, risk.band)),
                Cell::new(Tone::Quiet, interval),
                Cell::new(Tone::Quiet, support),
            ]
        };
        let rows: Vec<_> = sorted.iter().map(row).collect();
        let (start, end) = (Align::Start, Align::End);
        table(self.ink, &[start, start, end, start, end, end], &rows)
    }

    fn contributions(self, risk: &RiskAssessment) -> String {
        let why =
            format!("{} {}", self.word("Why", "为什么是"), words::head(self.language, &risk.head));
        let span = format!(
            "{} {:+.2} → {} {:+.2}",
            self.word("log-odds: average order", "对数几率：平均订单"),
            risk.base,
            self.word("this order", "本订单"),
            risk.weighted_log_odds,
        );
        let shown = risk.contributions.len().min(CONTRIBUTIONS_SHOWN);
        let (listed, others) = risk.contributions.split_at(shown);
        let rest = others
            .iter()
            .fold(risk.rest.weighted_log_odds, |sum, shift| sum + shift.weight * shift.log_odds);
        let n_rest = risk.rest.n_features as usize + others.len();
        let largest = listed
            .iter()
            .map(|shift| (shift.weight * shift.log_odds).abs())
            .fold(rest.abs(), f64::max);
        let mut rows: Vec<_> =
            listed.iter().map(|shift| self.contribution(shift, largest)).collect();
        if 0 < n_rest {
            let name = match self.language {
                Language::English => format!("{n_rest} other features"),
                Language::Chinese => format!("其余 {n_rest} 项特征"),
            };
            rows.push(shift_row(Tone::Quiet, name, String::new(), rest, largest));
        }
        let (start, end) = (Align::Start, Align::End);
        format!(
            "\n  {}  {}\n{}",
            self.ink.paint(Tone::Strong, &why),
            self.ink.paint(Tone::Quiet, &span),
            table(self.ink, &[start, end, start, end, start], &rows)
        )
    }

    fn contribution(self, shift: &Contribution, largest: f64) -> Vec<Cell> {
        let value = shift.value.map_or_else(
            || self.word("unknown", "未知").to_owned(),
            |value| format!("= {}", short(value)),
        );
        let name = shift.feature.to_string();
        let mut row = shift_row(Tone::Normal, name, value, shift.weight * shift.log_odds, largest);
        if shift.weight.to_bits() != 1.0_f64.to_bits() {
            let weight = format!("{} ×{}", self.word("weight", "权重"), short(shift.weight));
            row.push(Cell::new(Tone::Quiet, weight));
        }
        row
    }

    /// A column per recommended action, and one for release; a row per kind of consequence.
    fn impacts(self, decision: &Decision) -> String {
        let shown = shown_impacts(decision);
        let Some(first) = shown.first() else {
            return format!("  {}\n", self.word("no action is eligible", "没有可选的处置"));
        };
        let mut kinds: Vec<ImpactKind> =
            shown.iter().flat_map(|it| &it.parts).map(|part| part.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let row = |name: Cell, cell: &dyn Fn(&ActionImpact) -> Cell| {
            let cells = shown.iter().map(|impact| cell(impact));
            std::iter::once(name).chain(cells).collect::<Vec<Cell>>()
        };
        let quiet = |text: &str| Cell::new(Tone::Quiet, text);
        let mut rows = vec![
            row(quiet(self.word("if you", "如果")), &|impact| {
                let action = words::action(self.language, impact.action);
                let more = if impact.plan.is_empty() { "" } else { " + …" };
                Cell::new(Tone::Strong, format!("{action}{more}"))
            }),
            row(quiet(&format!("{} {}", self.word("total", "合计"), first.currency)), &|impact| {
                let mean = impact.total.mean;
                Cell::new(sign_tone(mean), major(impact.currency, mean))
            }),
            row(quiet("10 – 90 %"), &|impact| {
                let [p10, p90] =
                    [impact.total.p10, impact.total.p90].map(|it| major(impact.currency, it));
                quiet(&format!("{p10} – {p90}"))
            }),
        ];
        for kind in kinds {
            rows.push(row(quiet(words::impact(self.language, kind)), &|impact| {
                let part = impact.parts.iter().find(|part| part.kind == kind);
                part.map_or_else(|| quiet("–"), |part| part_cell(part, impact.currency))
            }));
        }
        rows.push(row(quiet(self.word("minutes", "分钟")), &|impact| {
            quiet(&format!("{:.0}", impact.review_minutes))
        }));
        let mut aligns = vec![Align::End; shown.len() + 1];
        aligns[0] = Align::Start;
        table(self.ink, &aligns, &rows)
    }

    fn actions(self, actions: &[RecommendedAction], currency: Currency) -> String {
        let mut rows = Vec::with_capacity(actions.len());
        for action in actions {
            let tone = if action.rank == 1 { Tone::Strong } else { Tone::Normal };
            let p_best = action.p_best.value();
            let mut notes = Vec::new();
            if action.forced_by.is_some() {
                notes.push(self.word("forced by a rule", "由规则强制"));
            }
            if action.is_close_call {
                notes.push(self.word("close call", "差距很小"));
            }
            if action.requires_approval {
                notes.push(self.word("needs approval", "需人工确认"));
            }
            let worth = format!(
                "{} {} {}",
                self.word("worth", "价值"),
                currency,
                signed(currency, action.value.mean)
            );
            rows.push(vec![
                Cell::new(tone, action.rank.to_string()),
                Cell::new(tone, action.title.in_language(self.language)),
                Cell::new(Tone::Good, bar(p_best, SIDE_COLUMNS)),
                Cell::new(
                    tone,
                    format!("{} {}", self.word("best with", "最优概率"), percent(p_best)),
                ),
                Cell::new(Tone::Quiet, self.confirmed(action)),
                Cell::new(Tone::Normal, worth),
                Cell::new(Tone::Warn, notes.join(self.word(", ", "，"))),
            ]);
        }
        let (start, end) = (Align::Start, Align::End);
        let table = table(self.ink, &[end, start, start, end, start, start, start], &rows);
        let plans = actions.iter().filter(|action| !action.steps.is_empty());
        let lines = plans.map(|action| {
            let steps = action.steps.iter().map(|step| step.title.in_language(self.language));
            let steps = steps.collect::<Vec<_>>().join(" → ");
            format!("  {} {} {steps}\n", self.word("plan", "方案"), action.rank)
        });
        lines.fold(table, |text, line| text + &line)
    }

    /// How likely a person takes it, and how many choices say so.
    fn confirmed(self, action: &RecommendedAction) -> String {
        let chance = percent(action.p_confirm.value());
        let taken = self.word("taken with", "采纳概率");
        let backing = if action.is_prior_only {
            self.word("prior only", "仅先验").to_owned()
        } else {
            format!("n = {}", action.n_confirm)
        };
        format!("{taken} {chance} ({backing})")
    }

    fn footer(self, decision: &Decision) -> String {
        let mut text = String::from("\n");
        for reason in &decision.degraded_reasons {
            let line = format!("! {}", words::degraded(self.language, *reason));
            let _ = writeln!(text, "{}", self.ink.paint(Tone::Warn, &line));
        }
        let timings: Vec<String> = decision
            .stage_timings
            .iter()
            .map(|it| {
                let micros = it.nanos as f64 / 1e3;
                format!("{} {micros:.0} µs", words::stage(self.language, it.stage))
            })
            .collect();
        let versions = &decision.versions;
        let n_missing = decision.missing_inputs.len();
        let missing = match self.language {
            Language::English => format!("{n_missing} inputs unknown"),
            Language::Chinese => format!("{n_missing} 项输入未知"),
        };
        let made = format!(
            "{} {} · {} {} · {missing} · {}",
            self.word("model", "模型"),
            versions.model,
            self.word("strategy", "策略"),
            versions.strategy,
            timings.join(" · "),
        );
        let _ = writeln!(text, "{}", self.ink.paint(Tone::Quiet, &made));
        text
    }
}

/// The leading risk, and every other one that is not low.
fn explained(risks: &[RiskAssessment]) -> impl Iterator<Item = &RiskAssessment> {
    let leading = leading(risks).map(|risk| &risk.head);
    risks.iter().filter(move |risk| Some(&risk.head) == leading || RiskBand::Low < risk.band)
}

fn leading(risks: &[RiskAssessment]) -> Option<&RiskAssessment> {
    risks.iter().max_by(|a, b| a.probability.value().total_cmp(&b.probability.value()))
}

fn shift_row(tone: Tone, name: String, value: String, shift: f64, largest: f64) -> Vec<Cell> {
    let share = if 0.0 < largest { shift / largest } else { 0.0 };
    vec![
        Cell::new(tone, name),
        Cell::new(Tone::Quiet, value),
        Cell::new(sign_tone(-shift), diverging_bar(share, SIDE_COLUMNS)),
        Cell::new(tone, format!("{shift:+.2}")),
    ]
}

/// The impacts of the recommended actions, best first, and of release.
fn shown_impacts(decision: &Decision) -> Vec<&ActionImpact> {
    let recommended = decision.actions.iter().map(|action| (action.action, &*action.plan));
    let mut shown: Vec<(ActionKind, &str)> = recommended.take(RECOMMENDED).collect();
    if !shown.contains(&(ActionKind::Approve, "")) {
        shown.push((ActionKind::Approve, ""));
    }
    let impact = |named: (ActionKind, &str)| {
        decision.impacts.iter().find(|it| (it.action, &*it.plan) == named)
    };
    shown.into_iter().filter_map(impact).collect()
}

fn part_cell(part: &ImpactPart, currency: Currency) -> Cell {
    match part.unit {
        ImpactUnit::MinorUnits => {
            Cell::new(sign_tone(part.value.mean), major(currency, part.value.mean))
        }
        ImpactUnit::Index => {
            let index = format!("{:.2}", part.value.mean);
            match part.alarm_from {
                Some(from) if from <= part.value.mean => {
                    Cell::new(Tone::Bad, format!("{index} ≥ {from:.2}"))
                }
                Some(_) | None => Cell::new(Tone::Normal, index),
            }
        }
        ImpactUnit::Pieces => Cell::new(Tone::Normal, format!("{:.1}", part.value.mean)),
    }
}

pub(super) fn band_tone(band: RiskBand) -> Tone {
    match band {
        RiskBand::Low => Tone::Good,
        RiskBand::Elevated => Tone::Warn,
        RiskBand::High => Tone::Bad,
    }
}

pub(super) fn sign_tone(number: f64) -> Tone {
    if number < 0.0 { Tone::Bad } else { Tone::Good }
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
