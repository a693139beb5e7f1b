//! How much room words take, estimated without a font.

/// Put where words were cut.
const CUT: char = '…';

/// Width of a text in pixels when its letters are so high; rather too wide than too narrow.
pub fn width(text: &str, font_px: f64) -> f64 {
    text.chars().map(share).sum::<f64>() * font_px
}

/// The text, or as much of its beginning as fits, with an ellipsis.
pub fn fitted(text: &str, room: f64, font_px: f64) -> String {
    if width(text, font_px) <= room {
        return text.to_owned();
    }
    let mut rest = room - share(CUT) * font_px;
    let fits = |c: &char| {
        rest -= share(*c) * font_px;
        0.0 <= rest
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    kept.truncate(kept.trim_end().len());
    kept.push(CUT);
    kept
}

/// Width of a letter as a share of its height, after common sans-serif fonts.
fn share(c: char) -> f64 {
    match c {
        // Marks that sit on the letter before them.
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0.0,
        _ if is_wide(c) => 1.0,
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.34,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 0.95,
        'A'..='Z' => 0.72,
        _ => 0.62,
    }
}

/// Letters that East Asian fonts make as wide as high, by Unicode's blocks.
fn is_wide(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_chinese_letter_is_as_wide_as_high() {
        assert!((width("收货地址", 10.0) - 40.0).abs() < 1e-9);
        assert!(width("e\u{301}", 10.0) < width("ee", 10.0));
    }

    #[test]
    fn what_does_not_fit_is_cut_with_an_ellipsis() {
        assert_eq!(fitted("shipping address", 200.0, 12.0), "shipping address");
        assert_eq!(fitted("收货地址与支付方式", 60.0, 12.0), "收货地址…");
        assert_eq!(fitted("two words", 40.0, 12.0), "two…");
    }

    proptest! {
        #[test]
        fn a_fitted_text_fits(text in "[a-zA-Z0-9 中文字符，。]{0,40}", room in 15.0..200.0_f64) {
            prop_assert!(width(&fitted(&text, room, 12.0), 12.0) <= room + 1e-9);
        }
    }
}
