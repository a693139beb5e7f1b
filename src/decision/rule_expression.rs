//! The condition of a rule as a tree, and its value for one order.
//!
//! The trees are checked when a strategy is read, so a value of another kind than the tree asks
//! for cannot occur; should it, it counts as missing. What is missing makes a condition unknown,
//! unless the rest decides: `false && missing` is false and `true || missing` is true in either
//! order, as CEL has it for errors.

use crate::decision::rule_facts::{Facts, ItemFact, Value, Variable};
use crate::domain::order::{ITEMS_MAX, OrderItem};

/// Steps that a look into a text counts as.
const TEXT_STEPS: u64 = 8;

/// A checked CEL expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// Yes or no, as written.
    Flag(bool),
    /// A number, as written.
    Number(f64),
    /// A text, as written.
    Text(Box<str>),
    /// A value of the order.
    Variable(Variable),
    /// A value of the item that a quantifier around it looks at.
    Item {
        /// Which fact of it.
        fact: ItemFact,
        /// 0 for the item of the innermost quantifier.
        outer: usize,
    },
    /// `has(…)`.
    Has(Box<Expression>),
    /// `size(order.items)`.
    ItemCount,
    /// `size(<text>)`: characters.
    Length(Box<Expression>),
    /// `!`.
    Not(Box<Expression>),
    /// `-`.
    Minus(Box<Expression>),
    /// `&&`.
    And(Box<[Expression; 2]>),
    /// `||`.
    Or(Box<[Expression; 2]>),
    /// `condition ? one : other`.
    Choose(Box<[Expression; 3]>),
    /// `==`, `<` and the like.
    Compare(Comparison, Box<[Expression; 2]>),
    /// `+` and the like.
    Calculate(Operation, Box<[Expression; 2]>),
    /// `in`: one of the listed values.
    In(Box<Expression>, Box<[Expression]>),
    /// `startsWith` and the like; the text first.
    Search(Search, Box<[Expression; 2]>),
    /// `order.items.exists(…)`.
    AnyItem(Box<Expression>),
    /// `order.items.all(…)`.
    EveryItem(Box<Expression>),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Different,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

/// What is done with two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// Where a text is looked for in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// `startsWith`
    Start,
    /// `endsWith`
    End,
    /// `contains`
    Anywhere,
}

/// Something that a condition asks for is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing;

/// The items that the quantifiers around an expression look at, innermost first.
#[derive(Clone, Copy)]
struct Scope<'s, 'a> {
    item: &'a OrderItem,
    around: Option<&'s Scope<'s, 'a>>,
}

impl Expression {
    /// Whether a condition holds.
    ///
    /// # Errors
    /// [`Missing`] when that depends on what is not known.
    pub fn holds(&self, facts: &Facts<'_>) -> Result<bool, Missing> {
        self.flag(facts, None)
    }

    /// Most steps that it takes for any order: one per node, and the body of a quantifier once
    /// per item.
    pub fn steps_max(&self) -> u64 {
        let parts = self.parts().fold(0_u64, |sum, part| sum.saturating_add(part.steps_max()));
        let (factor, more) = if matches!(self, Self::AnyItem(_) | Self::EveryItem(_)) {
            (ITEMS_MAX as u64, 1)
        } else if matches!(self, Self::Length(_) | Self::Search(..)) {
            (1, 1 + TEXT_STEPS)
        } else {
            (1, 1)
        };
        parts.saturating_mul(factor).saturating_add(more)
    }

    /// Features, by position, that it asks the presence of.
    pub fn features_asked(&self) -> Vec<usize> {
        let mut asked = Vec::new();
        self.visit(&mut |part| {
            if let Self::Has(of) = part
                && let Self::Variable(Variable::Feature(at)) = **of
            {
                asked.push(at);
            }
        });
        asked
    }

    /// Calls `look` with it and every part of it, in the order of writing.
    pub fn visit(&self, look: &mut dyn FnMut(&Self)) {
        look(self);
        self.parts().for_each(|part| part.visit(look));
    }

    /// The same without what it only asks the presence of.
    pub fn visit_needed(&self, look: &mut dyn FnMut(&Self)) {
        if let Self::Has(_) = self {
            return;
        }
        look(self);
        self.parts().for_each(|part| part.visit_needed(look));
    }

    fn parts(&self) -> impl Iterator<Item = &Self> {
        let (one, more): (Option<&Self>, &[Self]) = match self {
            Self::Flag(_)
            | Self::Number(_)
            | Self::Text(_)
            | Self::Variable(_)
            | Self::Item { .. }
            | Self::ItemCount => (None, &[]),
            Self::Has(of)
            | Self::Length(of)
            | Self::Not(of)
            | Self::Minus(of)
            | Self::AnyItem(of)
            | Self::EveryItem(of) => (Some(of), &[]),
            Self::And(parts)
            | Self::Or(parts)
            | Self::Compare(_, parts)
            | Self::Calculate(_, parts)
            | Self::Search(_, parts) => (None, &**parts),
            Self::Choose(parts) => (None, &**parts),
            Self::In(value, list) => (Some(value), list),
        };
        one.into_iter().chain(more)
    }

    fn value<'a>(
        &'a self,
        facts: &Facts<'a>,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Result<Value<'a>, Missing> {
        Ok(match self {
            Self::Flag(flag) => Value::Flag(*flag),
            Self::Number(number) => Value::Number(*number),
            Self::Text(text) => Value::Text(text),
            Self::Variable(variable) => facts.value(variable).ok_or(Missing)?,
            Self::Item { fact, outer } => item_value(facts, scope, *fact, *outer).ok_or(Missing)?,
            Self::Has(of) => Value::Flag(of.value(facts, scope).is_ok()),
            Self::ItemCount => Value::Number(facts.items().len() as f64),
            Self::Length(of) => Value::Number(of.text(facts, scope)?.chars().count() as f64),
            Self::Not(of) => Value::Flag(!of.flag(facts, scope)?),
            Self::Minus(of) => Value::Number(-of.number(facts, scope)?),
            Self::And(parts) => {
                Value::Flag(every_holds(parts.iter().map(|part| part.flag(facts, scope)))?)
            }
            Self::Or(parts) => {
                Value::Flag(any_holds(parts.iter().map(|part| part.flag(facts, scope)))?)
            }
            Self::Choose(parts) => {
                let [condition, one, other] = &**parts;
                let chosen = if condition.flag(facts, scope)? { one } else { other };
                chosen.value(facts, scope)?
            }
            Self::Compare(comparison, parts) => {
                let [a, b] = [parts[0].value(facts, scope)?, parts[1].value(facts, scope)?];
                Value::Flag(comparison.holds(a, b)?)
            }
            Self::Calculate(operation, parts) => {
                let (a, b) = (parts[0].number(facts, scope)?, parts[1].number(facts, scope)?);
                Value::Number(operation.result(a, b))
            }
            Self::In(value, list) => {
                let value = value.value(facts, scope)?;
                let equals =
                    |one: &'a Self| Comparison::Equal.holds(value, one.value(facts, scope)?);
                Value::Flag(any_holds(list.iter().map(equals))?)
            }
            Self::Search(search, parts) => {
                let (text, part) = (parts[0].text(facts, scope)?, parts[1].text(facts, scope)?);
                Value::Flag(match search {
                    Search::Start => text.starts_with(part),
                    Search::End => text.ends_with(part),
                    Search::Anywhere => text.contains(part),
                })
            }
            Self::AnyItem(body) => Value::Flag(any_holds(body.of_items(facts, scope))?),
            Self::EveryItem(body) => Value::Flag(every_holds(body.of_items(facts, scope))?),
        })
    }

    /// What a condition about an item is for each of them.
    fn of_items<'a>(
        &'a self,
        facts: &Facts<'a>,
        around: Option<&Scope<'_, 'a>>,
    ) -> impl Iterator<Item = Result<bool, Missing>> {
        facts.items().iter().map(move |item| self.flag(facts, Some(&Scope { item, around })))
    }

    fn flag<'a>(
        &'a self,
        facts: &Facts<'a>,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Result<bool, Missing> {
        match self.value(facts, scope)? {
            Value::Flag(flag) => Ok(flag),
            Value::Number(_) | Value::Text(_) => Err(Missing),
        }
    }

    fn number<'a>(
        &'a self,
        facts: &Facts<'a>,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Result<f64, Missing> {
        match self.value(facts, scope)? {
            Value::Number(number) => Ok(number),
            Value::Flag(_) | Value::Text(_) => Err(Missing),
        }
    }

    fn text<'a>(
        &'a self,
        facts: &Facts<'a>,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Result<&'a str, Missing> {
        match self.value(facts, scope)? {
            Value::Text(text) => Ok(text),
            Value::Flag(_) | Value::Number(_) => Err(Missing),
        }
    }
}

fn item_value<'a>(
    facts: &Facts<'a>,
    scope: Option<&Scope<'_, 'a>>,
    fact: ItemFact,
    outer: usize,
) -> Option<Value<'a>> {
    let mut scope = scope?;
    for _ in 0..outer {
        scope = scope.around?;
    }
    facts.item_fact(scope.item, fact)
}

/// True as soon as one answer is, whatever is missing; else missing when one is.
fn any_holds(answers: impl Iterator<Item = Result<bool, Missing>>) -> Result<bool, Missing> {
    let mut is_missing = false;
    for answer in answers {
        match answer {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(Missing) => is_missing = true,
        }
    }
    if is_missing { Err(Missing) } else { Ok(false) }
}

/// False as soon as one answer is, whatever is missing; else missing when one is.
fn every_holds(answers: impl Iterator<Item = Result<bool, Missing>>) -> Result<bool, Missing> {
    any_holds(answers.map(|answer| answer.map(|answer| !answer))).map(|is_any_false| !is_any_false)
}

impl Comparison {
    fn holds(self, a: Value<'_>, b: Value<'_>) -> Result<bool, Missing> {
        let is_equal = match (a, b) {
            (Value::Flag(a), Value::Flag(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => return Ok(self.holds_for(a, b)),
            (Value::Flag(_) | Value::Number(_) | Value::Text(_), _) => return Err(Missing),
        };
        match self {
            Self::Equal => Ok(is_equal),
            Self::Different => Ok(!is_equal),
            Self::Less | Self::AtMost | Self::More | Self::AtLeast => Err(Missing),
        }
    }

    #[expect(clippy::float_cmp, reason = "a rule that asks for equal numbers means equal ones")]
    fn holds_for(self, a: f64, b: f64) -> bool {
        match self {
            Self::Equal => a == b,
            Self::Different => a != b,
            Self::Less => a < b,
            Self::AtMost => a <= b,
            Self::More => b < a,
            Self::AtLeast => b <= a,
        }
    }
}

impl Operation {
    fn result(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide => a / b,
        }
    }
}
