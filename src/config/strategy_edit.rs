//! Changes one number of a strategy's text and leaves every comment as it is.

use crate::config::levers::with_levers;

/// The text with another `money.review_minute_minor`; as it was when it has none.
pub fn with_review_minute_price(toml: &str, minor: f64) -> String {
    let text = with_levers(toml, &[("money.review_minute_minor", minor)]);
    text.unwrap_or_else(|_| toml.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EMBEDDED_STRATEGY;
    use crate::config::strategy_tests::parse;

    #[test]
    fn only_the_price_changes_and_it_reads_back_to_the_last_bit() {
        for price in [0.0, 0.25, 149.0, 183.437_5, 1e9, 1.0 / 3.0] {
            let text = with_review_minute_price(EMBEDDED_STRATEGY, price);
            let strategy = parse("strategy.toml", &text).unwrap();
            assert_eq!(strategy.money.review_minute_minor.to_bits(), price.to_bits());
            let differing: Vec<&str> = EMBEDDED_STRATEGY
                .lines()
                .zip(text.lines())
                .filter(|(before, after)| before != after)
                .map(|(_, after)| after)
                .collect();
            assert_eq!(differing.len(), 1, "{differing:?}");
            assert!(differing[0].contains("# one minute of a reviewer"), "{differing:?}");
        }
    }

    #[test]
    fn a_text_without_a_price_stays_as_it_is() {
        for text in ["", "money = 3", "[money]\n", "[money\nreview_minute_minor = 1"] {
            assert_eq!(with_review_minute_price(text, 2.0), text);
        }
    }
}
