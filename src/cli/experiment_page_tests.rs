//! Pages and pictures of experiments, as people see them.

use super::*;
use crate::cli::experiment_json::report_as_json;
use crate::cli::experiment_picture::picture;

fn at(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: 1_771_243_200 + seconds, nanos: 250_000_000 }
}

fn interval_of(low: f64, high: f64) -> pb::NumberInterval {
    pb::NumberInterval { low, high }
}

fn harm_of(harm: pb::Harm, units: (u64, u64), high: Option<f64>) -> pb::HarmComparison {
    pb::HarmComparison {
        harm: harm.into(),
        control_units: units.0,
        arm_units: units.1,
        times_at_every_look: (0 < units.0 + units.1).then_some(pb::TimesAsOften { low: 0.4, high }),
        p_at_every_look: Some(0.31),
        stops_at: 0.01,
    }
}

fn look_of(day: i64, difference: Option<f64>) -> pb::ExperimentLook {
    let harm = pb::HarmLook {
        harm: pb::Harm::Chargeback.into(),
        control_units: day.unsigned_abs(),
        arm_units: 2 * day.unsigned_abs(),
    };
    let arm = pb::ExperimentArmLook {
        arm: "challenger".to_owned(),
        difference,
        at_every_look: difference.map(|it| interval_of(it - 900.0, it + 900.0)),
        harms: vec![harm],
    };
    pb::ExperimentLook { at: Some(at(86_400 * day)), arms: vec![arm] }
}

fn arm_of(name: &str, units: u64) -> pb::ExperimentArmReport {
    pb::ExperimentArmReport {
        name: name.to_owned(),
        model: "risk/2".to_owned(),
        strategy_hash: "ab".repeat(32),
        share: 0.5,
        units,
        orders: 3 * units,
        matured_share: Some(0.25),
    }
}

fn report() -> pb::ExperimentReport {
    let money = pb::ExperimentMoney {
        control: 51_234.0,
        arm: 52_000.4,
        difference: 766.4,
        at_every_look: Some(interval_of(-120.0, 1_652.8)),
        p_at_every_look: 0.11,
        at_one_look: Some(interval_of(101.0, 1_431.8)),
        least_seen: 940.0,
        p_final: None,
        relative: Some(pb::RelativeDifference {
            effect: 0.016,
            at_one_look: Some(interval_of(0.002, 0.031)),
        }),
    };
    pb::ExperimentReport {
        experiment_id: "models".to_owned(),
        report_hash: "cd".repeat(32),
        position: 4_711,
        as_of: Some(at(86_400 * 3)),
        started_at: Some(at(0)),
        epochs: [(0, 5), (86_400, 25)]
            .map(|(from, percent)| pb::ExperimentEpoch { starts_at: Some(at(from)), percent })
            .to_vec(),
        arms: vec![arm_of("control", 812), arm_of("challenger", 798)],
        currency_code: "CNY".to_owned(),
        split_p: 1.0,
        mixed_share: 0.013,
        effective_units: 640.2,
        status: pb::ReportStatus::Ok.into(),
        advice: pb::ExperimentAdvice::KeepRunning.into(),
        comparisons: vec![pb::ExperimentComparison {
            arm: "challenger".to_owned(),
            money: Some(money),
            money_refusals: Vec::new(),
            harms: vec![
                harm_of(pb::Harm::Chargeback, (3, 6), Some(9.2)),
                harm_of(pb::Harm::Penalty, (0, 1), None),
                harm_of(pb::Harm::Complaint, (0, 0), None),
            ],
        }],
        looks: vec![look_of(1, None), look_of(2, Some(500.0)), look_of(3, Some(766.4))],
        ..pb::ExperimentReport::default()
    }
}

/// What a broken split leaves: no number about money, no intervals.
fn refused() -> pb::ExperimentReport {
    let mut report = report();
    let mismatch = pb::EstimateRefusal::SampleRatioMismatch.into();
    report.refusals = vec![mismatch];
    report.split_p = 1e-5;
    report.status = pb::ReportStatus::Refused.into();
    report.advice = pb::ExperimentAdvice::Refused.into();
    report.ended = Some(pb::ExperimentEnd {
        reason: pb::ExperimentEndReason::Harm.into(),
        harm: pb::Harm::Chargeback.into(),
        arm: "challenger".to_owned(),
        at: Some(at(86_400 * 2)),
    });
    for comparison in &mut report.comparisons {
        comparison.money = None;
        comparison.money_refusals = vec![mismatch];
        for harm in &mut comparison.harms {
            (harm.times_at_every_look, harm.p_at_every_look) = (None, None);
        }
    }
    for arm in report.looks.iter_mut().flat_map(|look| &mut look.arms) {
        (arm.difference, arm.at_every_look) = (None, None);
    }
    report
}

#[test]
fn a_report_says_what_is_known_and_what_is_not_in_both_languages() {
    let languages = [Language::English, Language::Chinese];
    let pages = languages.map(|it| report_page(it, Ink::Plain, &report()));
    insta::assert_snapshot!(pages.join("\n\n"));
}

#[test]
fn a_refused_report_says_why_and_carries_no_number_about_money() {
    let languages = [Language::English, Language::Chinese];
    let pages = languages.map(|it| report_page(it, Ink::Plain, &refused()));
    insta::assert_snapshot!(pages.join("\n\n"));
    let json = report_as_json(&refused());
    assert_eq!(json["status"], "REFUSED");
    assert_eq!(json["comparisons"][0]["money"], serde_json::Value::Null);
    assert_eq!(json["comparisons"][0]["money_refusals"][0], "SAMPLE_RATIO_MISMATCH");
    assert_eq!(json["looks"][2]["arms"][0]["difference"], serde_json::Value::Null);
    assert_eq!(json["ended"]["harm"], "chargeback");
}

#[test]
fn a_list_says_what_runs_and_why_others_ended_in_both_languages() {
    let summary = |id: &str, ended: Option<pb::ExperimentEnd>| pb::ExperimentSummary {
        experiment_id: id.to_owned(),
        arms: ["control", "challenger"]
            .map(|name| pb::ExperimentArmSummary { name: name.to_owned(), units: 40 })
            .to_vec(),
        epochs: vec![pb::ExperimentEpoch { starts_at: Some(at(0)), percent: 10 }],
        started_by: "wang".to_owned(),
        started_at: Some(at(0)),
        ended,
        ended_by: String::new(),
    };
    let listed = [summary("prices", None), summary("models", refused().ended)];
    let languages = [Language::English, Language::Chinese];
    let pages = languages.map(|it| list_page(it, Ink::Plain, &listed));
    insta::assert_snapshot!(pages.join("\n\n"));
}

#[test]
fn a_picture_shows_the_effect_and_every_harm_and_leaves_out_what_was_refused() {
    let drawn = picture(Language::English, &report());
    let titles = ["challenger: money", "challenger: chargebacks"];
    assert!(titles.iter().all(|title| drawn.contains(title)), "{drawn}");
    // Two pictures on a sheet.
    assert_eq!(drawn.matches("<svg ").count(), 3);
    assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
    let chinese = picture(Language::Chinese, &report());
    assert!(chinese.contains("challenger：拒付"), "{chinese}");
    assert!(drawn.contains("days since the start") && drawn.contains("CNY per order"), "{drawn}");
    let nothing = picture(Language::English, &refused());
    assert!(nothing.contains("no number: the arms are not as large"), "{nothing}");
}
