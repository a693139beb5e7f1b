//! Text for terminals: widths, bars, columns, colors.

use std::fmt::Write as _;

use crate::domain::money::Currency;

/// Whether a terminal understands colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Text only.
    Plain,
    /// ANSI escape sequences.
    Ansi,
}

/// How a piece of text stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It does not.
    Normal,
    /// A heading or the main thing.
    Strong,
    /// Background information.
    Quiet,
    /// Good for the shop.
    Good,
    /// Look twice.
    Warn,
    /// Bad for the shop.
    Bad,
}

/// Which side a column keeps straight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Start,
    /// Numbers.
    End,
}

/// One cell of a table.
#[derive(Clone, Debug)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// How it stands out.
    pub tone: Tone,
}

impl Ink {
    /// The text in its tone.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        let code = match (self, tone) {
            (Self::Plain, _) | (Self::Ansi, Tone::Normal) => return text.to_owned(),
            (Self::Ansi, Tone::Strong) => "1",
            (Self::Ansi, Tone::Quiet) => "2",
            (Self::Ansi, Tone::Good) => "32",
            (Self::Ansi, Tone::Warn) => "33",
            (Self::Ansi, Tone::Bad) => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

impl Cell {
    /// A cell in a tone.
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: text.into(), tone }
    }
}

/// Columns that a terminal needs for the text: two for a Chinese character.
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(letter: char) -> usize {
    match u32::from(letter) {
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// The text, filled with spaces to `columns`.
pub fn pad(text: &str, columns: usize, align: Align) -> String {
    let space = " ".repeat(columns.saturating_sub(width(text)));
    match align {
        Align::Start => format!("{text}{space}"),
        Align::End => format!("{space}{text}"),
    }
}

/// A bar of `columns` columns of which `share` (0 to 1) are filled, in eighths.
pub fn bar(share: f64, columns: usize) -> String {
    let (full, part) = blocks(share, columns);
    let rest = columns - width(&full) - width(part);
    format!("{full}{part}{}", "·".repeat(rest))
}

/// A bar that grows from a middle line: to the right when `share` (−1 to 1) is positive.
pub fn diverging_bar(share: f64, columns: usize) -> String {
    let (full, part) = blocks(share.abs(), columns);
    if share < 0.0 {
        // There are no blocks that fill from the right, so halves are the finest.
        let half = if part.is_empty() || part == "▏" { "" } else { "▐" };
        let filled = format!("{half}{full}");
        return format!("{}│{}", pad(&filled, columns, Align::End), " ".repeat(columns));
    }
    let filled = format!("{full}{part}");
    format!("{}│{}", " ".repeat(columns), pad(&filled, columns, Align::Start))
}

fn blocks(share: f64, columns: usize) -> (String, &'static str) {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let mut eighths = 0;
    while eighths < columns * 8 && (eighths as f64 + 0.5) / (columns * 8) as f64 <= share {
        eighths += 1;
    }
    ("█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// Lines of a table: every column as wide as its widest cell, two spaces between.
pub fn table(ink: Ink, aligns: &[Align], rows: &[Vec<Cell>]) -> String {
    let columns: Vec<usize> = (0..aligns.len())
        .map(|idx| {
            let cells = rows.iter().filter_map(|row| row.get(idx));
            cells.map(|cell| width(&cell.text)).max().unwrap_or_default()
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for ((cell, align), columns) in row.iter().zip(aligns).zip(&columns) {
            let _ = write!(line, "  {}", ink.paint(cell.tone, &pad(&cell.text, *columns, *align)));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A number with as many digits as it takes to tell it, at most three decimals.
pub fn short(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Minor units as major ones, without the code of the currency.
pub fn major(currency: Currency, minor: f64) -> String {
    currency.major_text(minor)
}

/// The same with its sign.
pub fn signed(currency: Currency, minor: f64) -> String {
    let text = major(currency, minor);
    if text.starts_with('-') { text } else { format!("+{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_and_english_columns_line_up() {
        assert_eq!((width("限购"), width("limit")), (4, 5));
        assert_eq!(pad("限购", 6, Align::Start), "限购  ");
        assert_eq!(pad("限购", 6, Align::End), "  限购");
    }

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        assert_eq!(bar(0.0, 4), "····");
        assert_eq!(bar(0.5, 4), "██··");
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(diverging_bar(-0.5, 4), "  ██│    ");
        assert_eq!(diverging_bar(1.0, 4), "    │████");
        for share in [-1.0, -0.37, 0.0, 0.01, 0.99, 7.0, f64::NAN] {
            assert_eq!(width(&diverging_bar(share, 10)), 21, "{share}");
        }
    }
}
