//! On the page of an answer whose recommendation is seen later.

use crate::cli::paint::Tone;
use crate::cli::render::Page;

/// What stands in place of impacts and actions.
pub(super) fn blind(page: Page) -> String {
    let why = page.word(
        "Choose first: this order was drawn to be judged by its evidence alone. What would be \
         recommended is shown once you have chosen (--json tells it).",
        "请先选择：本订单被抽中，仅凭证据判断。建议将在您选择之后显示（--json 可直接查看）。",
    );
    format!("\n  {}\n", page.ink.paint(Tone::Warn, why))
}
