//! Where commands speak: text to stdout, a closed pipe is not an error.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

/// Writes one line (or several) to standard output.
pub fn say(text: impl Display) {
    // A reader that left (`| head`) wants no more; there is nobody to tell.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Writes a value as pretty JSON to standard output.
///
/// # Errors
/// When the value has no JSON form.
pub fn say_json(value: &impl Serialize) -> miette::Result<()> {
    say(serde_json::to_string_pretty(value).map_err(|error| miette::miette!("{error}"))?);
    Ok(())
}

/// A CSV field; ids may hold commas and quotes.
pub fn csv_field(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

/// A progress bar on stderr for `length` steps; hidden where stderr is no terminal.
pub fn bar(length: u64, unit: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(5));
    let template = format!(
        "{{msg:24}} [{{bar:32}}] {{human_pos}}/{{human_len}} {unit} {{elapsed}} eta {{eta}}"
    );
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

/// A spinner on stderr that counts steps of work of unknown length.
pub fn spinner(unit: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
    if let Ok(style) = ProgressStyle::with_template(&format!(
        "{{msg:24}} {{spinner}} {{human_pos}} {unit} {{elapsed}}"
    )) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
