//! Mistakes of a mapping file: all at once, each with line, key and a way out.

use std::fmt;
use std::ops::Range;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// One thing that is wrong in a mapping file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Dotted key, such as `order.time.zone` or `labels[1].head`.
    pub key: String,
    /// What is wrong, with the value.
    pub remark: String,
    /// What may have been meant.
    pub hint: Option<String>,
    /// Bytes of the file it is about.
    pub span: Range<usize>,
}

/// Everything that is wrong in one mapping file, in the order of the file.
#[derive(Debug)]
pub struct MappingErrors {
    file_name: Box<str>,
    source: NamedSource<String>,
    mistakes: Vec<Mistake>,
}

impl MappingErrors {
    /// Orders the mistakes as the file does.
    pub(super) fn new(file_name: &str, text: &str, mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by(|a, b| (a.span.start, &a.key).cmp(&(b.span.start, &b.key)));
        let source = NamedSource::new(file_name, text.to_owned()).with_language("toml");
        Self { file_name: file_name.into(), source, mistakes }
    }

    /// The mistakes in the order of the file.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// The line of a mistake, from 1.
    pub fn line(&self, mistake: &Mistake) -> usize {
        let text = self.source.inner();
        let end = mistake.span.start.min(text.len());
        1 + text.as_bytes().iter().take(end).filter(|&&byte| byte == b'\n').count()
    }
}

impl fmt::Display for MappingErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.mistakes.len();
        write!(f, "{}: {n} mistake{}", self.file_name, if n == 1 { "" } else { "s" })?;
        for mistake in &self.mistakes {
            let line = self.line(mistake);
            write!(f, "\n  {}:{line}: {}: {}", self.file_name, mistake.key, mistake.remark)?;
            if let Some(hint) = &mistake.hint {
                write!(f, "; {hint}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for MappingErrors {}

impl Diagnostic for MappingErrors {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new("orderlens::mapping"))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.mistakes.iter().map(|mistake| {
            let remark = mistake.hint.clone().unwrap_or_else(|| mistake.key.clone());
            LabeledSpan::new_with_span(Some(remark), mistake.span.clone())
        })))
    }
}

/// `did you mean …?` for the candidate nearest to `given`, when it is near enough.
pub(super) fn suggest<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let given = given.to_lowercase();
    let measured = candidates.into_iter().map(|candidate| {
        let name = candidate.to_lowercase();
        // A third of the letters wrong is a slip; more is another word, unless cut short.
        let limit = (given.chars().count().max(name.chars().count()) / 3).max(1);
        let distance = edit_distance(&given, &name);
        let is_part = 3 <= given.len() && name.contains(&given);
        (distance <= limit || is_part, distance, candidate)
    });
    let (_, _, nearest) =
        measured.filter(|(is_near, _, _)| *is_near).min_by_key(|(_, distance, _)| *distance)?;
    Some(format!("did you mean `{nearest}`?"))
}

/// Letters to insert, remove, replace or swap with their neighbor (Damerau, 1964).
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let width = b.len() + 1;
    let mut table: Vec<usize> = (0..width * (a.len() + 1)).map(|_| 0).collect();
    for i in 0..=a.len() {
        for j in 0..width {
            table[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let differs = usize::from(a[i - 1] != b[j - 1]);
                let mut best = table[(i - 1) * width + j - 1] + differs;
                best = best.min(table[(i - 1) * width + j] + 1).min(table[i * width + j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(table[(i - 2) * width + j - 2] + 1);
                }
                best
            };
        }
    }
    table[width * (a.len() + 1) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_name_is_suggested() {
        let names = ["account", "device", "payment_instrument", "sku"];
        let check = |given: &str, expected: Option<&str>| {
            let expected = expected.map(|name| format!("did you mean `{name}`?"));
            assert_eq!(suggest(given, names), expected, "{given}");
        };
        check("acount", Some("account"));
        check("Device", Some("device"));
        check("payment_instrumnet", Some("payment_instrument"));
        check("suk", Some("sku"));
        check("payment", Some("payment_instrument"));
        check("warehouse", None);
    }
}
