//! A terminal page as an SVG picture, for documents and mail.

use std::fmt::Write as _;

use crate::cli::paint::width;

/// Pixels of one terminal column and of one line, at 14 px type.
const COLUMN_PX: f64 = 8.43;
const LINE_PX: f64 = 19.0;
/// Pixels around the text.
const MARGIN_PX: f64 = 18.0;

/// Draws a page that was made with [`Ink::Ansi`](crate::cli::paint::Ink::Ansi).
pub fn svg(page: &str) -> String {
    let lines: Vec<Vec<(&str, &str)>> = page.trim_end().lines().map(spans).collect();
    let columns_of = |line: &[(&str, &str)]| line.iter().map(|(_, text)| width(text)).sum();
    let columns: usize = lines.iter().map(|line| columns_of(line)).max().unwrap_or(0);
    let (page_width, page_height) = (
        columns as f64 * COLUMN_PX + 2.0 * MARGIN_PX,
        lines.len() as f64 * LINE_PX + 2.0 * MARGIN_PX,
    );
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {page_width:.0} {page_height:.0}\" \
         font-family=\"ui-monospace, Menlo, Consolas, 'Noto Sans Mono CJK SC', monospace\" \
         font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#16181d\"/>"
    );
    for (number, line) in lines.iter().enumerate() {
        let y = MARGIN_PX + LINE_PX * (number as f64 + 0.75);
        let mut column = 0;
        for (code, text) in line {
            let x = MARGIN_PX + COLUMN_PX * column as f64;
            let columns = width(text);
            column += columns;
            if text.trim().is_empty() {
                continue;
            }
            // The length is given, so that columns line up whatever font the reader has.
            let length = COLUMN_PX * columns as f64;
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{length:.1}\" xml:space=\"preserve\" \
                 {}>{}</text>",
                style(code),
                escaped(text)
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// A line as pieces of text with the escape code that was on.
fn spans(line: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut code = "0";
    let mut rest = line;
    while let Some(start) = rest.find("\u{1b}[") {
        if 0 < start {
            found.push((code, &rest[..start]));
        }
        let Some(end) = rest[start..].find('m') else { break };
        code = &rest[start + 2..start + end];
        rest = &rest[start + end + 1..];
    }
    if !rest.is_empty() {
        found.push((code, rest));
    }
    found
}

fn style(code: &str) -> &'static str {
    match code {
        "1" => "fill=\"#ffffff\" font-weight=\"bold\"",
        "2" => "fill=\"#8b919c\"",
        "31" => "fill=\"#ff6b6b\"",
        "32" => "fill=\"#63c174\"",
        "33" => "fill=\"#e5b455\"",
        _ => "fill=\"#d5d8de\"",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_become_fills_and_markup_is_escaped() {
        let drawn = svg("\u{1b}[31mbad <b>\u{1b}[0m & so on");
        assert!(drawn.contains("fill=\"#ff6b6b\">bad &lt;b&gt;</text>"), "{drawn}");
        assert!(drawn.contains("&amp; so on</text>"), "{drawn}");
        assert!(!drawn.contains('\u{1b}'));
    }
}
