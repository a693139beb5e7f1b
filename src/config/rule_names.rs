//! What the names in a condition stand for, and what a wrong one may mean.

use std::ops::Range;

use cel::common::ast::operators::INDEX;
use cel::common::ast::{Expr, IdedExpr, LiteralValue, SelectExpr};

use crate::config::rule_syntax::{Fault, Parsed};
use crate::config::rule_types::{Kind, Typed};
use crate::decision::rule_expression::Expression;
use crate::decision::rule_facts::{FactKind, ITEM_FACTS, ORDER_FACTS, Variable, WordList};
use crate::domain::entity::EntityKind;
use crate::domain::feature::FeatureSpec;
use crate::domain::head::HeadId;
use crate::domain::near::nearest;

/// Functions that a rule may call.
const FUNCTIONS: [&str; 7] = ["has", "size", "startsWith", "endsWith", "contains", "exists", "all"];
/// What may stand in front of a dot, beside kinds of entity.
const ROOTS: [&str; 5] = ["order", "risk", "band", "feature", "attribute"];

/// The features that rules may ask for.
#[derive(Clone, Copy, Debug)]
pub struct RuleFeatures<'a> {
    /// Those that the model bundle reads.
    pub read: &'a [FeatureSpec],
    /// Those that another bundle may read; a rule has to ask with `has(…)` whether they are there.
    pub possible: &'a [FeatureSpec],
}

/// The names that a strategy's rules may use.
#[derive(Debug)]
pub struct Names<'n> {
    features: RuleFeatures<'n>,
    /// Risk heads.
    heads: &'n [String],
    /// Ids of the features that were named so far.
    pub named: Vec<Box<str>>,
}

/// A name in an expression: `root.field`, or `root` alone.
struct Path<'p> {
    root: &'p str,
    field: Option<&'p str>,
    span: Range<usize>,
    /// True inside of `has(…)`.
    is_presence: bool,
}

impl<'n> Names<'n> {
    /// The names for these features and risk heads.
    pub fn new(features: RuleFeatures<'n>, heads: &'n [String]) -> Self {
        Self { features, heads, named: Vec::new() }
    }

    /// True when the bundle reads the feature at a position of those named.
    pub fn is_read(&self, at: usize) -> bool {
        let id = self.named.get(at).map(|id| &**id);
        self.features.read.iter().any(|spec| Some(&*spec.id) == id)
    }

    fn specs(&self) -> impl Iterator<Item = &'n FeatureSpec> + Clone + use<'n> {
        self.features.read.iter().chain(self.features.possible)
    }

    /// What a name stands for; `items` are the names of the items at hand, innermost last.
    ///
    /// # Errors
    /// The [`Fault`] of a name that is not known or cannot stand alone.
    pub fn resolve(
        &mut self,
        parsed: &Parsed<'_>,
        of: &IdedExpr,
        items: &[&str],
    ) -> Result<Typed, Fault> {
        let span = parsed.span(of);
        let Some(path) = path(of, span.clone()) else {
            let text = parsed.text(span.clone());
            return Err(Fault::new(span, format!("`{text}` has no parts"), "not a value"));
        };
        if let Some(outer) = items.iter().rev().position(|item| *item == path.root) {
            return item(&path, outer);
        }
        let typed = match path.root {
            "order" => order(&path)?,
            "risk" => {
                Typed::new(Expression::Variable(Variable::Risk(self.head(&path)?)), Kind::Number)
            }
            "band" => {
                let band = Variable::Band(self.head(&path)?);
                Typed::new(Expression::Variable(band), Kind::Word(WordList::Band))
            }
            "attribute" => attribute(&path)?,
            "feature" => self.feature(&path)?,
            root => match EntityKind::parse(root) {
                Some(kind) => self.feature_of(kind, &path)?,
                None => return Err(self.unknown_root(&path, items)),
            },
        };
        Ok(if path.is_presence { present(typed) } else { typed })
    }

    fn head(&self, path: &Path<'_>) -> Result<HeadId, Fault> {
        let field = path.field_of("a risk, as in `risk.payment_fraud`")?;
        if self.heads.iter().any(|head| head == field) {
            return Ok(HeadId(field.into()));
        }
        Err(path.unknown(
            &format!("there is no `[risks.{field}]`"),
            self.heads.iter().map(|head| &**head),
        ))
    }

    fn feature(&mut self, path: &Path<'_>) -> Result<Typed, Fault> {
        let id = path.field_of("the id of a feature, as in `feature.account_age_days`")?;
        if self.specs().any(|spec| *spec.id == *id) {
            return Ok(self.number(id));
        }
        let message = format!("there is no feature `{id}`");
        Err(path.unknown(&message, self.specs().map(|spec| &*spec.id)))
    }

    /// `<entity>.<rest>` is the feature `<entity>_<rest>`.
    fn feature_of(&mut self, kind: EntityKind, path: &Path<'_>) -> Result<Typed, Fault> {
        let rest = path.field_of("a feature of it, as in `account.age_days`")?;
        let id = format!("{}_{rest}", kind.as_str());
        let of_kind = self.specs().filter(|spec| spec.entity == Some(kind));
        if of_kind.clone().any(|spec| *spec.id == *id) {
            return Ok(self.number(&id));
        }
        let prefix = format!("{}_", kind.as_str());
        let rests = of_kind.filter_map(|spec| spec.id.strip_prefix(&prefix));
        Err(path.unknown(&format!("there is no feature `{id}`"), rests))
    }

    /// The variable of a feature that is there.
    fn number(&mut self, id: &str) -> Typed {
        let known = self.named.iter().position(|known| **known == *id);
        let at = known.unwrap_or_else(|| {
            self.named.push(id.into());
            self.named.len() - 1
        });
        Typed::new(Expression::Variable(Variable::Feature(at)), Kind::Number)
    }

    fn unknown_root(&self, path: &Path<'_>, items: &[&str]) -> Fault {
        let root = path.root;
        let fault = Fault::new(path.span.clone(), format!("`{root}` is not known here"), "unknown");
        if self.specs().any(|spec| *spec.id == *root) {
            return fault.suggest(format!("did you mean `feature.{root}`?"));
        }
        if ORDER_FACTS.iter().any(|row| row.name == root) {
            return fault.suggest(format!("did you mean `order.{root}`?"));
        }
        let kinds = EntityKind::ALL.map(EntityKind::as_str);
        let all: Vec<&str> = items.iter().copied().chain(ROOTS).chain(kinds).collect();
        let near = nearest(root, all.iter().copied());
        match (near, path.field) {
            (Some(near), Some(field)) => fault.suggest(format!("did you mean `{near}.{field}`?")),
            (Some(near), None) => fault.suggest(format!("did you mean `{near}.…`?")),
            (None, _) => fault.suggest(format!("known here: {}", all.join(", "))),
        }
    }
}

/// The fault of a call that a rule may not make.
pub fn unknown_function(name: &str, span: Range<usize>) -> Fault {
    let fault = Fault::new(span, format!("`{name}` cannot be called so in a rule"), "not allowed");
    match nearest(name, FUNCTIONS).filter(|near| *near != name) {
        Some(near) => fault.suggest(format!("did you mean `{near}`?")),
        None => fault.suggest(format!("known here: {}", FUNCTIONS.join(", "))),
    }
}

/// True for `order.items`.
pub fn is_basket(of: &IdedExpr) -> bool {
    path(of, 0..0).is_some_and(|path| {
        path.root == "order" && path.field == Some("items") && !path.is_presence
    })
}

fn path(of: &IdedExpr, span: Range<usize>) -> Option<Path<'_>> {
    match &of.expr {
        Expr::Ident(root) => Some(Path { root, field: None, span, is_presence: false }),
        Expr::Select(SelectExpr { operand, field, test }) => {
            let root = ident(operand)?;
            Some(Path { root, field: Some(field), span, is_presence: *test })
        }
        Expr::Call(call) if call.func_name == INDEX => {
            let [root, name] = call.args.as_slice() else { return None };
            let Expr::Literal(LiteralValue::String(name)) = &name.expr else { return None };
            // Only an attribute may be named like no name.
            let root = ident(root).filter(|root| *root == "attribute")?;
            Some(Path { root, field: Some(name.inner()), span, is_presence: false })
        }
        Expr::Call(_)
        | Expr::Comprehension(_)
        | Expr::List(_)
        | Expr::Literal(_)
        | Expr::Map(_)
        | Expr::Struct(_)
        | Expr::Unspecified => None,
    }
}

fn ident(of: &IdedExpr) -> Option<&str> {
    if let Expr::Ident(name) = &of.expr { Some(name) } else { None }
}

impl<'p> Path<'p> {
    /// What is asked for; a root alone is nothing.
    fn field_of(&self, wanted: &str) -> Result<&'p str, Fault> {
        let message = format!("`{}` alone is no value", self.root);
        let fault = || Fault::new(self.span.clone(), message, "not a value");
        self.field.ok_or_else(|| fault().suggest(format!("name {wanted}")))
    }

    fn unknown<'w>(&self, message: &str, known: impl Iterator<Item = &'w str>) -> Fault {
        let fault = Fault::new(self.span.clone(), message, "unknown");
        let known: Vec<&str> = known.collect();
        let field = self.field.unwrap_or_default();
        let longer = |is_it: fn(&str, &str) -> bool| {
            known.iter().copied().filter(|word| is_it(word, field)).min_by_key(|word| word.len())
        };
        let near = nearest(field, known.iter().copied())
            .or_else(|| longer(|word, field| word.starts_with(field)))
            .or_else(|| longer(|word, field| word.contains(field)));
        match near {
            Some(near) => fault.suggest(format!("did you mean `{}.{near}`?", self.root)),
            None if known.len() <= ORDER_FACTS.len() => {
                fault.suggest(format!("known here: {}", known.join(", ")))
            }
            None => fault,
        }
    }
}

fn order(path: &Path<'_>) -> Result<Typed, Fault> {
    let field = path.field_of("a fact of it, as in `order.amount`")?;
    if field == "items" {
        let message = "`order.items` is the basket, not a value".to_owned();
        return Err(Fault::new(path.span.clone(), message, "a list")
            .suggest("ask `size(order.items)` or `order.items.exists(item, item.quantity > 3)`"));
    }
    let Some(row) = ORDER_FACTS.iter().find(|row| row.name == field) else {
        let names = ORDER_FACTS.iter().map(|row| row.name).chain(["items"]);
        return Err(path.unknown(&format!("an order has no `{field}`"), names));
    };
    let expression = Expression::Variable(Variable::Order(row.fact));
    if row.kind == FactKind::Presence && !path.is_presence {
        let message = format!("`order.{field}` is a pseudonym, which is like no word");
        return Err(Fault::new(path.span.clone(), message, "not a value")
            .suggest(format!("a rule can ask `has(order.{field})`")));
    }
    Ok(Typed::new(expression, of_fact(row.kind)))
}

fn of_fact(kind: FactKind) -> Kind {
    match kind {
        FactKind::Number => Kind::Number,
        FactKind::Text => Kind::Text,
        FactKind::Word(list) => Kind::Word(list),
        FactKind::Presence => Kind::Flag,
    }
}

fn item(path: &Path<'_>, outer: usize) -> Result<Typed, Fault> {
    let field = path.field_of("a fact of it: sku, quantity or unit_price")?;
    let Some(row) = ITEM_FACTS.iter().find(|row| row.name == field) else {
        let names = ITEM_FACTS.iter().map(|row| row.name);
        return Err(path.unknown(&format!("an item has no `{field}`"), names));
    };
    let typed = Typed::new(Expression::Item { fact: row.fact, outer }, of_fact(row.kind));
    Ok(if path.is_presence { present(typed) } else { typed })
}

fn attribute(path: &Path<'_>) -> Result<Typed, Fault> {
    let name = path.field_of("one, as in `attribute.device_kind`")?;
    // Which of the two it is follows from what it is compared with.
    let word = Expression::Variable(Variable::WordAttribute(name.into()));
    Ok(Typed::new(word, Kind::Attribute))
}

/// Whether a value is there.
fn present(typed: Typed) -> Typed {
    let has = |expression| Expression::Has(Box::new(expression));
    let Typed { expression, kind } = typed;
    if kind == Kind::Attribute
        && let Expression::Variable(Variable::WordAttribute(name)) = &expression
    {
        let number = Expression::Variable(Variable::NumberAttribute(name.clone()));
        return Typed::flag(Expression::Or(Box::new([has(number), has(expression)])));
    }
    Typed::flag(has(expression))
}
