//! What parts of a condition are (flag, number, text), and which go together.

use cel::common::ast::LiteralValue;
use cel::common::ast::operators as op;

use crate::decision::rule_expression::{Comparison, Expression, Operation};
use crate::decision::rule_facts::{Variable, WordList};

/// From here on a whole number is no longer exact as a double: 2⁵³.
const WHOLE_MAX: u64 = 1 << 53;

/// What a part of an expression is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Yes or no.
    Flag,
    /// A number.
    Number,
    /// A number that CEL has as a whole one.
    Whole,
    /// Any text.
    Text,
    /// One of few words.
    Word(WordList),
    /// A number or a word, as the source sent it.
    Attribute,
}

/// A part that is resolved.
#[derive(Clone, Debug)]
pub struct Typed {
    /// What it computes.
    pub expression: Expression,
    /// What that is.
    pub kind: Kind,
}

/// Why a written value cannot stand in a rule.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    /// What is wrong.
    pub message: &'static str,
    /// What to write instead.
    pub suggestion: Option<&'static str>,
}

impl Kind {
    /// The words for it in a message.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Flag => "a yes or no",
            Self::Number | Self::Whole => "a number",
            Self::Text | Self::Word(_) => "a text",
            Self::Attribute => "a number or a word",
        }
    }
}

impl Typed {
    /// An expression and what it is.
    pub fn new(expression: Expression, kind: Kind) -> Self {
        Self { expression, kind }
    }

    /// A yes or no.
    pub fn flag(expression: Expression) -> Self {
        Self::new(expression, Kind::Flag)
    }
}

/// What two values both are when they can be compared or stand for each other. Of two attributes
/// nobody knows.
pub fn common_kind(a: Kind, b: Kind) -> Option<Kind> {
    use Kind::{Attribute, Flag, Number, Text, Whole, Word};
    match (a, b) {
        (Flag, Flag) => Some(Flag),
        (Whole, Whole) => Some(Whole),
        (Number | Whole | Attribute, Number | Whole) | (Number | Whole, Attribute) => Some(Number),
        (Word(list), Word(other)) if list == other => Some(Word(list)),
        (Text | Word(_) | Attribute, Text)
        | (Text, Word(_) | Attribute)
        | (Word(_), Attribute)
        | (Attribute, Word(_)) => Some(Text),
        (Flag | Number | Whole | Text | Word(_) | Attribute, _) => None,
    }
}

/// The value of a literal.
///
/// # Errors
/// [`Refusal`] when rules have no such values.
pub fn written(literal: &LiteralValue) -> Result<Typed, Refusal> {
    let number = |number: f64, kind| Ok(Typed::new(Expression::Number(number), kind));
    let instead = |message, suggestion| Err(Refusal { message, suggestion: Some(suggestion) });
    match literal {
        LiteralValue::Boolean(flag) => Ok(Typed::flag(Expression::Flag(*flag.inner()))),
        LiteralValue::Double(double) if double.inner().is_finite() => {
            number(*double.inner(), Kind::Number)
        }
        LiteralValue::Int(int) if int.inner().unsigned_abs() <= WHOLE_MAX => {
            number(*int.inner() as f64, Kind::Whole)
        }
        LiteralValue::UInt(uint) if *uint.inner() <= WHOLE_MAX => {
            number(*uint.inner() as f64, Kind::Whole)
        }
        LiteralValue::Double(_) | LiteralValue::Int(_) | LiteralValue::UInt(_) => {
            Err(Refusal { message: "has a number too large to count", suggestion: None })
        }
        LiteralValue::String(text) => {
            Ok(Typed::new(Expression::Text(text.inner().into()), Kind::Text))
        }
        LiteralValue::Null => instead("`null` is no value", "ask `has(…)` instead"),
        LiteralValue::Bytes(_) => instead("bytes cannot stand here", "write a text"),
    }
}

/// The comparison that a CEL operator stands for.
pub fn comparison(name: &str) -> Option<Comparison> {
    match name {
        op::EQUALS => Some(Comparison::Equal),
        op::NOT_EQUALS => Some(Comparison::Different),
        op::LESS => Some(Comparison::Less),
        op::LESS_EQUALS => Some(Comparison::AtMost),
        op::GREATER => Some(Comparison::More),
        op::GREATER_EQUALS => Some(Comparison::AtLeast),
        _ => None,
    }
}

/// The calculation that a CEL operator stands for.
pub fn operation(name: &str) -> Option<Operation> {
    match name {
        op::ADD => Some(Operation::Add),
        op::SUBSTRACT => Some(Operation::Subtract),
        op::MULTIPLY => Some(Operation::Multiply),
        op::DIVIDE => Some(Operation::Divide),
        _ => None,
    }
}

/// An attribute that must be a number.
pub fn as_number(expression: Expression) -> Expression {
    if let Expression::Variable(Variable::WordAttribute(name)) = expression {
        return Expression::Variable(Variable::NumberAttribute(name));
    }
    expression
}
