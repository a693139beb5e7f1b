//! Rules: conditions on an order, and what follows when they hold.
//!
//! A rule takes hold as a whole or not at all. It does not when it forces an action that may
//! not be offered, or when another rule forces another action: the higher priority wins, the
//! earlier rule among equals.

use std::cmp::Reverse;

use crate::decision::rule_expression::Expression;
use crate::decision::rule_facts::{Facts, Variable};
use crate::decision::strategy::ActionPolicy;
use crate::domain::decision::ActionKind;
use crate::domain::feature::FeatureSpec;
use crate::domain::near::nearest;
use crate::domain::rule::{RuleObstacle, RuleOutcome};
use crate::domain::text::Text;

/// The enabled rules of a strategy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// In the file's order.
    pub rules: Vec<Rule>,
    /// Ids of the features that they name; [`Variable::Feature`] counts in here.
    pub features: Vec<Box<str>>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name in the strategy.
    pub id: Box<str>,
    /// When it applies.
    pub when: Expression,
    /// What it adds to the priority of an order.
    pub priority: i64,
    /// The action that it puts first.
    pub force: Option<ActionKind>,
    /// Words shown with an order.
    pub tags: Vec<Box<str>>,
    /// Notices for other systems.
    pub emit: Vec<Box<str>>,
    /// What people read.
    pub title: Text,
}

/// What the rules of a strategy make of an order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ruling {
    /// Those that matched or could not be judged, in the strategy's order.
    pub outcomes: Vec<RuleOutcome>,
    /// Words of the selected ones, each once.
    pub tags: Vec<Box<str>>,
    /// Notices of the selected ones, each once.
    pub notices: Vec<Box<str>>,
    /// Sum over the selected ones.
    pub priority: i64,
    /// The forced action, with the rule that won.
    pub forced: Option<(ActionKind, Box<str>)>,
}

/// A rule names a feature that the model bundle does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule `{rule}` asks for feature `{feature}`, which the model bundle does not read{}", or_this(.near.as_deref()))]
pub struct UnknownRuleFeature {
    /// The rule.
    pub rule: Box<str>,
    /// The feature.
    pub feature: Box<str>,
    /// A feature of the bundle with nearly the same id.
    pub near: Option<Box<str>>,
}

impl Rules {
    /// Where the features that the rules name are among those of a bundle.
    pub fn places(&self, specs: &[FeatureSpec]) -> Vec<Option<usize>> {
        let place = |id: &str| specs.iter().position(|spec| *spec.id == *id);
        self.features.iter().map(|id| place(id)).collect()
    }

    /// Checks that a bundle has every feature that the rules name and do not ask with `has`
    /// whether it is there.
    ///
    /// # Errors
    /// [`UnknownRuleFeature`] for the first that it does not have.
    pub fn check_features(&self, specs: &[FeatureSpec]) -> Result<(), UnknownRuleFeature> {
        let places = self.places(specs);
        for rule in &self.rules {
            let asked = rule.when.features_asked();
            let mut unknown = None;
            rule.when.visit(&mut |part| {
                let Expression::Variable(Variable::Feature(at)) = part else { return };
                if !asked.contains(at) && places.get(*at).is_some_and(Option::is_none) {
                    unknown = self.features.get(*at).cloned();
                }
            });
            let Some(feature) = unknown else { continue };
            let near = nearest(&feature, specs.iter().map(|spec| &*spec.id)).map(Into::into);
            return Err(UnknownRuleFeature { rule: rule.id.clone(), feature, near });
        }
        Ok(())
    }

    /// What all rules make of an order whose eligible actions are these.
    pub fn apply(&self, facts: &Facts<'_>, eligible: &[&ActionPolicy]) -> Ruling {
        let mut found: Vec<(&Rule, Option<RuleObstacle>)> = Vec::new();
        for rule in &self.rules {
            match rule.when.holds(facts) {
                Ok(true) => found.push((rule, None)),
                Ok(false) => {}
                Err(_) => found.push((rule, Some(RuleObstacle::MissingInput))),
            }
        }
        let matched = found.iter().filter(|(_, obstacle)| obstacle.is_none());
        let winner = winner(matched.map(|(rule, _)| *rule), eligible);
        let mut ruling = Ruling {
            forced: winner.map(|(action, rule)| (action, rule.id.clone())),
            ..Ruling::default()
        };
        for (rule, missing) in found {
            let obstacle = missing.or_else(|| {
                let forced = rule.force?;
                if !may_offer(forced, eligible) {
                    return Some(RuleObstacle::NotEligible);
                }
                let is_overruled = winner.is_some_and(|(action, _)| action != forced);
                is_overruled.then_some(RuleObstacle::Overruled)
            });
            let outcome = self.outcome(rule, obstacle, facts);
            ruling.add(outcome);
        }
        ruling
    }

    /// The action that the rules force, as [`Rules::apply`] finds it.
    pub fn forced(&self, facts: &Facts<'_>, eligible: &[&ActionPolicy]) -> Option<ActionKind> {
        let forcing = self.rules.iter().filter(|rule| rule.force.is_some());
        let matched = forcing.filter(|rule| rule.when.holds(facts) == Ok(true));
        winner(matched, eligible).map(|(action, _)| action)
    }

    fn outcome(
        &self,
        rule: &Rule,
        obstacle: Option<RuleObstacle>,
        facts: &Facts<'_>,
    ) -> RuleOutcome {
        let missing_inputs = match obstacle {
            Some(RuleObstacle::MissingInput) => self.missing_inputs(rule, facts),
            Some(RuleObstacle::Overruled | RuleObstacle::NotEligible) | None => Vec::new(),
        };
        RuleOutcome {
            rule: rule.id.clone(),
            obstacle,
            missing_inputs,
            priority: rule.priority,
            force: rule.force,
            tags: rule.tags.clone(),
            emit: rule.emit.clone(),
            title: rule.title.clone(),
        }
    }

    /// Everything that a rule asks the value of and that is not known, each once.
    fn missing_inputs(&self, rule: &Rule, facts: &Facts<'_>) -> Vec<Box<str>> {
        let mut missing: Vec<Box<str>> = Vec::new();
        rule.when.visit_needed(&mut |part| {
            let mut name = None;
            if let Expression::Variable(variable) = part {
                name = facts.value(variable).is_none().then(|| self.name_of(variable));
            } else if let Expression::Item { fact, .. } = part {
                let is_missing = !facts.is_known_of_every_item(*fact);
                name = is_missing.then(|| format!("order.items.{}", fact.as_str()));
            }
            let Some(name) = name else { return };
            if !missing.iter().any(|known| **known == *name) {
                missing.push(name.into());
            }
        });
        missing
    }

    /// What people call a variable: of a feature its id, else as conditions write it.
    fn name_of(&self, variable: &Variable) -> String {
        match variable {
            Variable::Order(fact) => format!("order.{}", fact.as_str()),
            Variable::NumberAttribute(name) | Variable::WordAttribute(name) => {
                format!("attribute.{name}")
            }
            Variable::Risk(head) => format!("risk.{}", head.0),
            Variable::Band(head) => format!("band.{}", head.0),
            Variable::Feature(at) => {
                self.features.get(*at).map_or_else(String::new, ToString::to_string)
            }
        }
    }
}

/// Of the matched rules that force an eligible action the first of the highest priority.
fn winner<'r>(
    matched: impl Iterator<Item = &'r Rule>,
    eligible: &[&ActionPolicy],
) -> Option<(ActionKind, &'r Rule)> {
    let forcing = matched.filter_map(|rule| rule.force.map(|action| (action, rule)));
    let possible = forcing.filter(|(action, _)| may_offer(*action, eligible));
    possible.min_by_key(|(_, rule)| Reverse(rule.priority))
}

fn may_offer(action: ActionKind, eligible: &[&ActionPolicy]) -> bool {
    eligible.iter().any(|policy| policy.kind == action)
}

impl Ruling {
    fn add(&mut self, outcome: RuleOutcome) {
        if outcome.is_selected() {
            add_new(&mut self.tags, &outcome.tags);
            add_new(&mut self.notices, &outcome.emit);
            self.priority = self.priority.saturating_add(outcome.priority);
        }
        self.outcomes.push(outcome);
    }
}

fn add_new(words: &mut Vec<Box<str>>, more: &[Box<str>]) {
    for word in more {
        if !words.contains(word) {
            words.push(word.clone());
        }
    }
}

fn or_this(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}
