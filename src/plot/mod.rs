//! Small pictures for cards, reports and pages, as SVG text.
//!
//! [`svg`] writes elements, [`axis`] turns values into places, [`frame`] draws what
//! every chart has, [`charts`] and [`looks`] are the pictures of files. No fonts, scripts or
//! links: a file reads alone, on light and on dark backgrounds. [`waterfall`], [`network`],
//! [`timeline`] and [`gauges`] are put inside pages: they carry classes, which the page's
//! style sheet paints, and links. The same input gives the same bytes.

pub mod axis;
pub mod charts;
pub mod frame;
pub mod gauges;
pub mod looks;
pub mod network;
pub mod radial;
pub mod shape;
pub mod svg;
pub mod time_axis;
pub mod timeline;
pub mod waterfall;
#[cfg(test)]
mod well_formed;
pub mod words;
