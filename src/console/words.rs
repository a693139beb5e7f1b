//! Words of one language for templates, and names of the contract's words.

use std::borrow::Borrow;
use std::fmt::Display;

use fluent_bundle::FluentArgs;

use crate::console::catalog::{has, message};
use crate::console::format::{Length, length};
use crate::domain::decision::{ActionKind, DecisionState, DegradedReason, Stage};
use crate::domain::entity::EntityKind;
use crate::domain::feature::FeatureGroup;
use crate::domain::feedback::OutcomeKind;
use crate::domain::head::HeadId;
use crate::domain::impact::ImpactKind;
use crate::domain::order::{AddressKind, PaymentKind};
use crate::domain::risk::RiskBand;
use crate::domain::text::{Language, Text};
use crate::domain::time::Span;

/// Looks words up in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// Which one.
    pub language: Language,
}

impl Words {
    /// A message without variables.
    pub fn t(self, key: &str) -> String {
        message(self.language, key, &FluentArgs::new())
    }

    /// A message with one variable.
    pub fn t1(self, key: &str, name: &str, value: impl Display) -> String {
        self.with(key, &[(name, value.to_string())])
    }

    /// A message with two variables.
    pub fn t2(
        self,
        key: &str,
        first: &str,
        value: impl Display,
        second: &str,
        other: impl Display,
    ) -> String {
        self.with(key, &[(first, value.to_string()), (second, other.to_string())])
    }

    /// A message with any variables.
    pub fn with(self, key: &str, variables: &[(&str, String)]) -> String {
        let mut args = FluentArgs::new();
        for (name, value) in variables {
            args.set(*name, value.clone());
        }
        message(self.language, key, &args)
    }

    /// A message about a number, `$n`, which chooses its plural.
    pub fn n(self, key: &str, count: impl Borrow<i64>) -> String {
        let mut args = FluentArgs::new();
        args.set("n", *count.borrow());
        message(self.language, key, &args)
    }

    /// A length of time in its two largest units.
    pub fn span(self, span: Span) -> String {
        match length(span) {
            Length::Seconds(n) => self.t1("span-seconds", "n", n),
            Length::Minutes(n) => self.t1("span-minutes", "n", n),
            Length::Hours(hours, minutes) => {
                self.t2("span-hours", "hours", hours, "minutes", minutes)
            }
            Length::Days(days, hours) => self.t2("span-days", "days", days, "hours", hours),
        }
    }

    /// Name of a figure of a model; one without a name of its own is called by its id.
    pub fn figure(self, name: &str) -> String {
        let key = format!("figure-{name}");
        if has(&key) { self.t(&key) } else { name.replace('_', " ") }
    }

    /// A text that comes in both languages.
    pub fn of(self, text: &Text) -> &str {
        text.in_language(self.language)
    }

    /// The language for `lang` attributes.
    pub fn tag(self) -> &'static str {
        match self.language {
            Language::English => "en",
            Language::Chinese => "zh-CN",
        }
    }

    /// Name of an action.
    pub fn action(self, action: ActionKind) -> String {
        self.t(&format!("action-{}", action.as_str()))
    }

    /// Name of a risk; heads of a config's own are called by their id.
    pub fn head(self, head: &HeadId) -> String {
        let key = format!("head-{}", head.0);
        if has(&key) { self.t(&key) } else { head.0.replace('_', " ") }
    }

    /// Name of a band.
    pub fn band(self, band: RiskBand) -> String {
        self.t(&format!("band-{}", band.as_str()))
    }

    /// Name of a theme.
    pub fn group(self, group: FeatureGroup) -> String {
        self.t(&format!("group-{}", group.as_str()))
    }

    /// Name of a kind of entity.
    pub fn kind(self, kind: EntityKind) -> String {
        self.t(&format!("kind-{}", kind.as_str()))
    }

    /// Name of an outcome.
    pub fn outcome(self, kind: OutcomeKind) -> String {
        self.t(&format!("outcome-{}", kind.as_str()))
    }

    /// Name of a kind of consequence.
    pub fn impact(self, kind: ImpactKind) -> String {
        self.t(match kind {
            ImpactKind::RiskLoss => "impact-risk_loss",
            ImpactKind::PlatformPenalty => "impact-platform_penalty",
            ImpactKind::Margin => "impact-margin",
            ImpactKind::ReturnCost => "impact-return_cost",
            ImpactKind::FalseStop => "impact-false_stop",
            ImpactKind::Complaint => "impact-complaint",
            ImpactKind::DelayCompensation => "impact-delay_compensation",
            ImpactKind::ReviewCost => "impact-review_cost",
            ImpactKind::ActionCost => "impact-action_cost",
            ImpactKind::FuturePurchases => "impact-future_purchases",
            ImpactKind::PriceIndex => "impact-price_index",
            ImpactKind::StockUse => "impact-stock_use",
        })
    }

    /// How complete an answer is.
    pub fn state(self, state: DecisionState) -> String {
        self.t(match state {
            DecisionState::Final => "state-final",
            DecisionState::Degraded => "state-degraded",
            DecisionState::Abstained => "state-abstained",
        })
    }

    /// Why an answer is less than complete.
    pub fn degraded(self, reason: DegradedReason) -> String {
        self.t(match reason {
            DegradedReason::LateEvent => "degraded-late_event",
            DegradedReason::UnknownEntityKind => "degraded-unknown_entity_kind",
            DegradedReason::FewInputsKnown => "degraded-few_inputs_known",
            DegradedReason::PastShed => "degraded-past_shed",
            DegradedReason::GraphLate => "degraded-graph_late",
            DegradedReason::ExplanationLate => "degraded-explanation_late",
        })
    }

    /// Name of a fact of a stream, by its name there.
    pub fn fact(self, name: &str) -> String {
        let key = format!("fact-{name}");
        if has(&key) { self.t(&key) } else { name.replace('_', " ") }
    }

    /// Name of a sort of address.
    pub fn address_kind(self, kind: AddressKind) -> String {
        self.t(&format!("address-{}", kind.as_str()))
    }

    /// Name of a way to pay.
    pub fn payment_kind(self, kind: PaymentKind) -> String {
        self.t(&format!("payment-{}", kind.as_str()))
    }

    /// Why somebody went against the first recommendation, by its name in forms.
    pub fn reason(self, name: &str) -> String {
        self.t(&format!("reason-{name}"))
    }

    /// Name of a stage of scoring.
    pub fn stage(self, stage: Stage) -> String {
        self.t(match stage {
            Stage::Features => "stage-features",
            Stage::Model => "stage-model",
            Stage::Decision => "stage-decision",
        })
    }
}
