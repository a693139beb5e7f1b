//! Parses a CEL expression and knows which bytes each part stands at.
//!
//! The grammar is that of the `cel` crate. Its parser recurses, so length and nesting are
//! bounded before it runs; its messages are put into words for people who are no programmers.

use std::ops::Range;

use cel::common::ast::operators::INDEX;
use cel::common::ast::{Expr, IdedExpr, SourceInfo};
use cel::parser::{ParseError, Parser};

/// Longest expression, bytes.
pub const EXPRESSION_BYTES_MAX: usize = 1_000;
/// Deepest nesting of brackets, and of parts of the expression.
pub const NESTING_MAX: usize = 24;

/// A mistake inside an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Bytes of the expression.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// Words for the place.
    pub label: &'static str,
    /// What to do about it.
    pub suggestion: Option<String>,
}

/// An expression and where its parts are.
#[derive(Debug)]
pub struct Parsed<'t> {
    /// The whole.
    pub root: IdedExpr,
    text: &'t str,
    source: SourceInfo,
    /// Byte of each character, then the length of the text.
    bytes: Vec<usize>,
}

impl Fault {
    /// A mistake without a suggestion.
    pub fn new(span: Range<usize>, message: impl Into<String>, label: &'static str) -> Self {
        Self { span, message: message.into(), label, suggestion: None }
    }

    /// The same mistake with a hint.
    #[must_use]
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }
}

/// Parses an expression.
///
/// # Errors
/// The first [`Fault`] that keeps it from being read.
pub fn parse(text: &str) -> Result<Parsed<'_>, Fault> {
    check_size(text)?;
    let parser = Parser::new().max_recursion_depth(u16::try_from(NESTING_MAX).unwrap_or(u16::MAX));
    match parser.parse_with_source_info(text) {
        Ok((root, source)) => {
            let bytes = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            Ok(Parsed { root, text, source, bytes })
        }
        Err(errors) => {
            // Later errors are mostly echoes of the first; those of macros come without a place.
            let errors = errors.errors;
            let first = errors.iter().find(|error| error.msg.starts_with(SYNTAX));
            Err(first.or(errors.first()).map_or_else(|| unreadable(text), |it| fault(text, it)))
        }
    }
}

fn check_size(text: &str) -> Result<(), Fault> {
    if text.trim().is_empty() {
        return Err(Fault::new(0..text.len(), "is empty", "needs a condition")
            .suggest("for every order write `true`"));
    }
    if EXPRESSION_BYTES_MAX < text.len() {
        let message = format!("has {} bytes, {EXPRESSION_BYTES_MAX} at most", text.len());
        return Err(Fault::new(0..text.len(), message, "too long").suggest("make two rules of it"));
    }
    let (mut depth, mut quote) = (0_usize, None);
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open && !is_escaped => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (Some(_) | None, _) => {}
        }
        is_escaped = c == '\\' && !is_escaped;
        if NESTING_MAX < depth {
            return Err(too_deep(at..at + c.len_utf8()));
        }
    }
    Ok(())
}

/// The fault of an expression that is nested more deeply than [`NESTING_MAX`].
pub fn too_deep(span: Range<usize>) -> Fault {
    Fault::new(span, format!("is nested more than {NESTING_MAX} levels deep"), "too deep")
}

fn unreadable(text: &str) -> Fault {
    Fault::new(0..text.len(), "cannot be read", "not an expression")
}

/// How the parser's messages about the grammar begin.
const SYNTAX: &str = "Syntax error: ";

/// The parser's message in our words, at its place.
fn fault(text: &str, error: &ParseError) -> Fault {
    let message = error.msg.strip_prefix(SYNTAX).unwrap_or(&error.msg);
    let at = place(text, error.pos);
    if message.contains("ecursion limit") {
        return too_deep(0..text.len());
    }
    if message.contains("'<EOF>' expecting") {
        return Fault::new(last_char(text), "ends too early", "something must follow");
    }
    if let Some((wanted, found)) =
        message.strip_prefix("missing '").and_then(|rest| rest.split_once("' at '"))
    {
        let span = if found == "<EOF>'" { last_char(text) } else { char_at(text, at) };
        return Fault::new(span, format!("lacks a `{wanted}`"), "missing around here");
    }
    if message.starts_with("invalid") && message.ends_with("literal") {
        return Fault::new(word_at(text, at), "has a number too large to count", "too large");
    }
    if message.contains("has() macro") {
        return Fault::new(word_at(text, at), "`has` asks for a named value", "not a name")
            .suggest("as in `has(order.amount)`");
    }
    if message.contains("simple name") {
        return Fault::new(word_at(text, at), "the item needs a simple name", "not a name")
            .suggest("as in `order.items.exists(item, item.quantity > 3)`");
    }
    misplaced(text, at)
}

/// Something stands where it cannot.
fn misplaced(text: &str, at: usize) -> Fault {
    let rest = text.get(at..).unwrap_or_default();
    let before = text.get(..at).unwrap_or_default();
    let Some(first) = rest.chars().next() else { return unreadable(text) };
    let span = word_at(text, at);
    let word = text.get(span.clone()).unwrap_or_default();
    if first == '"' || first == '\'' {
        return Fault::new(at..text.len(), "has a text that cannot be read", "starts here")
            .suggest("close it with the same quote; write a backslash as `\\\\`");
    }
    let hint = match word {
        "=" => Some("=="),
        ">" if before.trim_end().ends_with('<') => Some("!="),
        "&" | "and" | "AND" => Some("&&"),
        "|" | "or" | "OR" => Some("||"),
        "not" | "NOT" => Some("!"),
        _ => None,
    };
    let fault = Fault::new(span, format!("`{word}` cannot stand here"), "unexpected");
    match hint {
        Some(meant) => fault.suggest(format!("did you mean `{meant}`?")),
        None => fault,
    }
}

/// The byte of a line and column, both from 1; inside the text.
fn place(text: &str, (line, column): (isize, isize)) -> usize {
    let count = |from_one: isize| usize::try_from(from_one - 1).unwrap_or(0);
    let start: usize = text.split_inclusive('\n').take(count(line)).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    rest.char_indices().nth(count(column)).map_or(text.len(), |(at, _)| start + at)
}

fn char_at(text: &str, at: usize) -> Range<usize> {
    let n_bytes = text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    at..at + n_bytes
}

/// The word or the single character at a place.
fn word_at(text: &str, at: usize) -> Range<usize> {
    let rest = text.get(at..).unwrap_or_default();
    let n_bytes = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    if n_bytes == 0 { char_at(text, at) } else { at..at + n_bytes }
}

/// The last character that is no blank.
fn last_char(text: &str) -> Range<usize> {
    let end = text.trim_end().len();
    let n_bytes = text[..end].chars().next_back().map_or(0, char::len_utf8);
    end - n_bytes..end
}

impl Parsed<'_> {
    /// The bytes that a part of the expression stands at.
    pub fn span(&self, of: &IdedExpr) -> Range<usize> {
        let own = self.own(of.id);
        match &of.expr {
            Expr::Select(select) => self.with_field(&self.span(&select.operand), &select.field),
            Expr::Call(call) => {
                let name = call.func_name.as_str();
                // The parser puts a function at its bracket.
                let is_function = name.chars().all(|c| c.is_alphanumeric() || c == '_');
                let start = match &call.target {
                    Some(target) => self.span(target).start,
                    None if is_function => self.start_of(name, own.start),
                    None => own.start,
                };
                let parts = call.args.iter().map(|argument| self.span(argument));
                let all = parts.fold(start..own.end, |all, part| hull(&all, &part));
                if is_function || name == INDEX { self.closed(all) } else { all }
            }
            Expr::List(list) => {
                let elements = list.elements.iter().map(|element| self.span(element));
                self.closed(elements.fold(own, |all, element| hull(&all, &element)))
            }
            Expr::Comprehension(all) => {
                let start = self.span(&all.iter_range).start;
                let mut end = own.end;
                if let Expr::Call(step) = &all.loop_step.expr
                    && let Some(body) = step.args.last()
                {
                    end = end.max(self.span(body).end);
                }
                self.closed(start..end)
            }
            Expr::Ident(_)
            | Expr::Literal(_)
            | Expr::Map(_)
            | Expr::Struct(_)
            | Expr::Unspecified => own,
        }
    }

    /// The text of a part.
    pub fn text(&self, span: Range<usize>) -> &str {
        self.text.get(span).unwrap_or_default()
    }

    /// Where the parser puts a node: the bytes of its token.
    fn own(&self, id: u64) -> Range<usize> {
        let byte = |at: u32| self.bytes.get(at as usize).copied().unwrap_or(self.text.len());
        let (start, last) = self.source.offset_for(id).unwrap_or_default();
        let start = byte(start);
        start..byte(last.saturating_add(1)).max(start)
    }

    /// Where the name of a function starts that is called at a bracket.
    fn start_of(&self, name: &str, bracket: usize) -> usize {
        self.text.get(..bracket).and_then(|before| before.rfind(name)).unwrap_or(bracket)
    }

    /// A span with the field that is asked of it.
    fn with_field(&self, operand: &Range<usize>, field: &str) -> Range<usize> {
        let rest = self.text.get(operand.end..).unwrap_or_default();
        let end = rest.find(field).map_or(operand.end, |at| operand.end + at + field.len());
        operand.start..end
    }

    /// A span with the bracket that closes right behind it.
    fn closed(&self, span: Range<usize>) -> Range<usize> {
        let rest = self.text.get(span.end..).unwrap_or_default();
        let n_blank = rest.len() - rest.trim_start().len();
        let is_closed = rest.trim_start().starts_with([')', ']', '}']);
        if is_closed { span.start..span.end + n_blank + 1 } else { span }
    }
}

fn hull(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    a.start.min(b.start)..a.end.max(b.end)
}
