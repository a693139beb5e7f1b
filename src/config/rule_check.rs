//! Checks the types of a CEL expression and makes a rule's condition of it.
//!
//! Allowed is what is total and bounded: logic, comparisons, arithmetic, `? :`, `in` a written
//! list, `has`, `size`, `startsWith`, `endsWith`, `contains`, and `exists` and `all` over the
//! basket. Numbers are doubles and mix freely; in CEL itself only comparisons do.

use cel::common::ast::operators as op;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue};

use crate::config::rule_names::{Names, is_basket, unknown_function};
use crate::config::rule_syntax::{Fault, NESTING_MAX, Parsed, parse, too_deep};
use crate::config::rule_types::{
    Kind, Typed, as_number, common_kind, comparison, operation, written,
};
use crate::decision::rule_expression::{Comparison, Expression, Operation, Search};
use crate::decision::rule_facts::Variable;
use crate::domain::near::nearest;

/// Most steps that the condition of one rule may take for one order: one look through the
/// largest basket with a few comparisons of each item.
pub const STEPS_MAX: u64 = 12_000;
/// Checks one expression.
struct Checker<'a, 'n, 's> {
    parsed: &'a Parsed<'a>,
    names: &'s mut Names<'n>,
    /// Names of the items at hand, innermost last.
    items: Vec<&'a str>,
    /// Parts that ask for a feature which the bundle does not read, with its position.
    unread: Vec<(&'a IdedExpr, usize)>,
    faults: Vec<Fault>,
    depth: usize,
}

/// The condition that a text stands for.
///
/// # Errors
/// Every [`Fault`] of it, by place.
pub fn condition(text: &str, names: &mut Names<'_>) -> Result<Expression, Vec<Fault>> {
    let parsed = parse(text).map_err(|fault| vec![fault])?;
    let (items, unread) = (Vec::new(), Vec::new());
    let mut checker =
        Checker { parsed: &parsed, names, items, unread, faults: Vec::new(), depth: 0 };
    let root = checker.flag(&parsed.root);
    checker.check_unread(root.as_ref());
    let mut faults = checker.faults;
    let steps = root.as_ref().map_or(0, Expression::steps_max);
    if STEPS_MAX < steps {
        let message = format!("may take {steps} steps for one order, {STEPS_MAX} at most");
        faults.push(
            Fault::new(0..text.len(), message, "would run long")
                .suggest("look through the basket once, and ask less of each item"),
        );
    }
    faults.sort_by_key(|fault| fault.span.start);
    root.filter(|_| faults.is_empty()).ok_or(faults)
}

impl<'a> Checker<'a, '_, '_> {
    fn typed(&mut self, of: &'a IdedExpr) -> Option<Typed> {
        if NESTING_MAX < self.depth {
            let span = self.parsed.span(of);
            return self.refuse(too_deep(span));
        }
        self.depth += 1;
        let typed = match &of.expr {
            Expr::Literal(literal) => self.literal(of, literal),
            Expr::Ident(_) | Expr::Select(_) => self.name(of),
            Expr::Call(call) => self.call(of, call),
            Expr::Comprehension(all) => self.quantifier(of, all),
            Expr::List(_) => {
                self.not_allowed(of, "a list cannot stand here", "write it behind `in`")
            }
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                self.not_allowed(of, "a map cannot stand here", "compare single values")
            }
        };
        self.depth -= 1;
        typed
    }

    fn refuse<T>(&mut self, fault: Fault) -> Option<T> {
        self.faults.push(fault);
        None
    }

    fn not_allowed<T>(&mut self, of: &IdedExpr, message: &str, suggestion: &str) -> Option<T> {
        let span = self.parsed.span(of);
        self.refuse(Fault::new(span, message, "not allowed").suggest(suggestion))
    }

    fn name(&mut self, of: &'a IdedExpr) -> Option<Typed> {
        let found = self.names.resolve(self.parsed, of, &self.items);
        let typed = found.map_err(|fault| self.faults.push(fault)).ok()?;
        if let Expression::Variable(Variable::Feature(at)) = typed.expression
            && !self.names.is_read(at)
        {
            self.unread.push((of, at));
        }
        Some(typed)
    }

    /// A feature that the bundle does not read must be asked for with `has`.
    fn check_unread(&mut self, root: Option<&Expression>) {
        let Some(root) = root else { return };
        let asked = root.features_asked();
        for (of, at) in std::mem::take(&mut self.unread) {
            if asked.contains(&at) {
                continue;
            }
            let span = self.parsed.span(of);
            let text = self.parsed.text(span.clone());
            let message = format!("the model bundle does not read `{}`", self.names.named[at]);
            let hint =
                format!("begin with `has({text}) &&`: the rule then rests where it is not read");
            self.faults.push(Fault::new(span, message, "not read").suggest(hint));
        }
    }

    fn literal(&mut self, of: &IdedExpr, literal: &LiteralValue) -> Option<Typed> {
        let refusal = match written(literal) {
            Ok(typed) => return Some(typed),
            Err(refusal) => refusal,
        };
        let fault = Fault::new(self.parsed.span(of), refusal.message, "not allowed");
        self.refuse(match refusal.suggestion {
            Some(suggestion) => fault.suggest(suggestion),
            None => fault,
        })
    }

    fn call(&mut self, of: &'a IdedExpr, call: &'a CallExpr) -> Option<Typed> {
        let name = call.func_name.as_str();
        match (name, &call.target, call.args.as_slice()) {
            (op::LOGICAL_AND, None, [a, b]) => {
                Some(Typed::flag(Expression::And(self.flags(a, b)?)))
            }
            (op::LOGICAL_OR, None, [a, b]) => Some(Typed::flag(Expression::Or(self.flags(a, b)?))),
            (op::LOGICAL_NOT, None, [a]) => {
                Some(Typed::flag(Expression::Not(Box::new(self.flag(a)?))))
            }
            (op::NEGATE, None, [a]) => {
                let typed = self.typed(a)?;
                let kind = if typed.kind == Kind::Whole { Kind::Whole } else { Kind::Number };
                let number = self.number_of(a, typed)?;
                Some(Typed::new(Expression::Minus(Box::new(number)), kind))
            }
            (op::CONDITIONAL, None, [condition, one, other]) => {
                self.choice(of, condition, [one, other])
            }
            (op::IN, None, [value, list]) => self.membership(value, list),
            (op::INDEX, None, _) => self.name(of),
            ("size", None, [value]) => self.size(value),
            ("size", Some(target), []) => self.size(target),
            ("startsWith", Some(text), [part]) => self.search(Search::Start, text, part),
            ("endsWith", Some(text), [part]) => self.search(Search::End, text, part),
            ("contains", Some(text), [part]) => self.search(Search::Anywhere, text, part),
            (op::MODULO, ..) => {
                self.not_allowed(of, "`%` cannot stand here", "numbers may be broken")
            }
            (name, None, [a, b]) => match (comparison(name), operation(name)) {
                (Some(comparison), _) => self.compared(of, comparison, [a, b]),
                (None, Some(operation)) => self.calculation(of, operation, [a, b]),
                (None, None) => self.refuse(unknown_function(name, self.parsed.span(of))),
            },
            (name, ..) => self.refuse(unknown_function(name, self.parsed.span(of))),
        }
    }

    fn flag(&mut self, of: &'a IdedExpr) -> Option<Expression> {
        let typed = self.typed(of)?;
        match typed.kind {
            Kind::Flag => Some(typed.expression),
            Kind::Number | Kind::Whole | Kind::Text | Kind::Word(_) | Kind::Attribute => {
                self.wrong_kind(of, typed.kind, "a yes or no")
            }
        }
    }

    fn flags(&mut self, a: &'a IdedExpr, b: &'a IdedExpr) -> Option<Box<[Expression; 2]>> {
        let (a, b) = (self.flag(a), self.flag(b));
        Some(Box::new([a?, b?]))
    }

    fn number_of(&mut self, of: &IdedExpr, typed: Typed) -> Option<Expression> {
        match typed.kind {
            Kind::Number | Kind::Whole => Some(typed.expression),
            Kind::Attribute => Some(as_number(typed.expression)),
            Kind::Flag | Kind::Text | Kind::Word(_) => self.wrong_kind(of, typed.kind, "a number"),
        }
    }

    fn text(&mut self, of: &'a IdedExpr) -> Option<Expression> {
        let typed = self.typed(of)?;
        match typed.kind {
            Kind::Text | Kind::Word(_) | Kind::Attribute => Some(typed.expression),
            Kind::Flag | Kind::Number | Kind::Whole => self.wrong_kind(of, typed.kind, "a text"),
        }
    }

    fn wrong_kind<T>(&mut self, of: &IdedExpr, kind: Kind, wanted: &str) -> Option<T> {
        let span = self.parsed.span(of);
        let text = self.parsed.text(span.clone());
        let message = format!("`{text}` is {}, not {wanted}", kind.in_words());
        self.refuse(Fault::new(span, message, "wrong type"))
    }

    fn compared(
        &mut self,
        of: &'a IdedExpr,
        comparison: Comparison,
        [a, b]: [&'a IdedExpr; 2],
    ) -> Option<Typed> {
        let (left, right) = (self.typed(a), self.typed(b));
        let (kind, pair) = self.alike(of, [(a, left?), (b, right?)])?;
        let is_ordered = match comparison {
            Comparison::Equal | Comparison::Different => false,
            Comparison::Less | Comparison::AtMost | Comparison::More | Comparison::AtLeast => true,
        };
        if is_ordered && !matches!(kind, Kind::Number | Kind::Whole) {
            let message = format!("{} is not more or less than another", kind.in_words());
            return self.not_allowed(of, &message, "compare it with `==` or `!=`");
        }
        Some(Typed::flag(Expression::Compare(comparison, Box::new(pair))))
    }

    /// Two values that can be compared, and what they both are.
    fn alike(
        &mut self,
        of: &IdedExpr,
        [(at_a, a), (at_b, b)]: [(&IdedExpr, Typed); 2],
    ) -> Option<(Kind, [Expression; 2])> {
        let Some(kind) = common_kind(a.kind, b.kind) else {
            if (a.kind, b.kind) == (Kind::Attribute, Kind::Attribute) {
                let message = "two attributes may be numbers or words";
                return self.not_allowed(of, message, "compare each with a written value");
            }
            let words = |at: &IdedExpr, kind: Kind| {
                format!("`{}` is {}", self.parsed.text(self.parsed.span(at)), kind.in_words())
            };
            let message = format!("{}, {}", words(at_a, a.kind), words(at_b, b.kind));
            return self.refuse(Fault::new(self.parsed.span(of), message, "cannot be compared"));
        };
        for (word, at, other) in [(&a, at_b, &b), (&b, at_a, &a)] {
            self.check_word(word.kind, at, &other.expression);
        }
        let of_kind = |typed: Typed| {
            let is_number = kind == Kind::Number && typed.kind == Kind::Attribute;
            if is_number { as_number(typed.expression) } else { typed.expression }
        };
        Some((kind, [of_kind(a), of_kind(b)]))
    }

    /// A fact that is one of few words is compared with one of them.
    fn check_word(&mut self, kind: Kind, at: &IdedExpr, written: &Expression) {
        let (Kind::Word(list), Expression::Text(word)) = (kind, written) else { return };
        let words = list.words();
        if words.contains(&&**word) {
            return;
        }
        let near = nearest(word, words.iter().copied());
        let suggestion = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", words.join(", ")),
        };
        let span = self.parsed.span(at);
        let message = format!("`{word}` is none of its words");
        self.faults.push(Fault::new(span, message, "unknown word").suggest(suggestion));
    }

    fn choice(
        &mut self,
        of: &'a IdedExpr,
        condition: &'a IdedExpr,
        [one, other]: [&'a IdedExpr; 2],
    ) -> Option<Typed> {
        let condition = self.flag(condition);
        let (a, b) = (self.typed(one), self.typed(other));
        let (kind, [a, b]) = self.alike(of, [(one, a?), (other, b?)])?;
        Some(Typed::new(Expression::Choose(Box::new([condition?, a, b])), kind))
    }

    fn calculation(
        &mut self,
        of: &'a IdedExpr,
        operation: Operation,
        [a, b]: [&'a IdedExpr; 2],
    ) -> Option<Typed> {
        let is_whole =
            |typed: &Option<Typed>| typed.as_ref().is_some_and(|it| it.kind == Kind::Whole);
        let (left, right) = (self.typed(a), self.typed(b));
        let are_whole = is_whole(&left) && is_whole(&right);
        if are_whole && operation == Operation::Divide {
            let message = "in CEL whole numbers divide to a whole number";
            return self.not_allowed(of, message, "write one with a point, as `2.0`");
        }
        let left = left.and_then(|typed| self.number_of(a, typed));
        let right = right.and_then(|typed| self.number_of(b, typed));
        let kind = if are_whole { Kind::Whole } else { Kind::Number };
        Some(Typed::new(Expression::Calculate(operation, Box::new([left?, right?])), kind))
    }

    fn membership(&mut self, value: &'a IdedExpr, list: &'a IdedExpr) -> Option<Typed> {
        let typed = self.typed(value);
        let Expr::List(listed) = &list.expr else {
            return self.not_allowed(list, "`in` needs a written list", "as in `[\"a\", \"b\"]`");
        };
        if listed.elements.is_empty() {
            return self.not_allowed(list, "nothing is in an empty list", "list a value");
        }
        let mut typed = typed?;
        let mut elements = Vec::with_capacity(listed.elements.len());
        for element in &listed.elements {
            if !matches!(element.expr, Expr::Literal(_)) {
                return self.not_allowed(
                    element,
                    "a list holds written values",
                    "use `==` and `||`",
                );
            }
            let one = self.typed(element)?;
            let pair = [(value, typed.clone()), (element, one)];
            let (kind, [value, one]) = self.alike(element, pair)?;
            // The first element tells what an attribute is.
            if typed.kind == Kind::Attribute {
                typed = Typed::new(value, kind);
            }
            elements.push(one);
        }
        Some(Typed::flag(Expression::In(Box::new(typed.expression), elements.into())))
    }

    fn size(&mut self, of: &'a IdedExpr) -> Option<Typed> {
        if is_basket(of) {
            return Some(Typed::new(Expression::ItemCount, Kind::Whole));
        }
        Some(Typed::new(Expression::Length(Box::new(self.text(of)?)), Kind::Whole))
    }

    fn search(&mut self, search: Search, text: &'a IdedExpr, part: &'a IdedExpr) -> Option<Typed> {
        let (text, part) = (self.text(text), self.text(part));
        Some(Typed::flag(Expression::Search(search, Box::new([text?, part?]))))
    }

    fn quantifier(&mut self, of: &'a IdedExpr, all: &'a ComprehensionExpr) -> Option<Typed> {
        let is_any = match (&all.accu_init.expr, &all.loop_step.expr) {
            (Expr::Literal(LiteralValue::Boolean(start)), Expr::Call(step)) => {
                step.args.last().map(|body| (!*start.inner(), body))
            }
            _ => None,
        };
        let Some((is_any, body)) = is_any else {
            return self.not_allowed(
                of,
                "only `exists` and `all` look through a basket",
                "as in `order.items.exists(item, item.quantity > 3)`",
            );
        };
        if !is_basket(&all.iter_range) {
            return self.not_allowed(
                &all.iter_range,
                "only `order.items` can be looked through",
                "as in `order.items.exists(…)`",
            );
        }
        self.items.push(&all.iter_var);
        let body = self.flag(body);
        self.items.pop();
        let body = Box::new(body?);
        Some(Typed::flag(if is_any {
            Expression::AnyItem(body)
        } else {
            Expression::EveryItem(body)
        }))
    }
}
