//! Small pictures for cards and reports, as SVG text.
//!
//! [`svg`] writes elements, [`axis`] turns values into places, [`frame`] draws what
//! every chart has, [`charts`] and [`looks`] are the pictures. No fonts, scripts or links: a file
//! reads alone, on light and on dark backgrounds, and the same input gives the same
//! bytes.

pub mod axis;
pub mod charts;
pub mod frame;
pub mod looks;
pub mod svg;
