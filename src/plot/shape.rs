//! Outlines that are told apart without color.

use std::f64::consts::PI;

use crate::plot::svg::{At, Svg};

/// The outline of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// Round.
    Circle,
    /// Four sides, upright.
    Square,
    /// Four sides, on a corner.
    Diamond,
    /// Three sides, on a side.
    Triangle,
    /// Three sides, on a corner.
    Funnel,
    /// Five sides.
    Pentagon,
    /// Six sides.
    Hexagon,
    /// Eight sides.
    Octagon,
    /// Five points.
    Star,
    /// Two crossed bars.
    Plus,
    /// A lying rectangle.
    Card,
}

impl Shape {
    /// Every shape, the easiest to tell apart first.
    pub const ALL: [Self; 11] = [
        Self::Circle,
        Self::Square,
        Self::Diamond,
        Self::Triangle,
        Self::Hexagon,
        Self::Card,
        Self::Star,
        Self::Plus,
        Self::Funnel,
        Self::Pentagon,
        Self::Octagon,
    ];

    /// Draws the outline about the origin; no part of it is further away than `size`.
    pub fn draw(self, svg: &mut Svg, class: &str, size: f64) {
        if self == Self::Circle {
            // A circle looks larger than what has corners.
            return svg.empty("circle", &[("class", class), ("r", &format!("{:.1}", size * 0.9))]);
        }
        let corners = self.corners().into_iter().map(|at| (at.x * size, at.y * size));
        let points: Vec<String> = corners.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        svg.empty("polygon", &[("class", class), ("points", &points.join(" "))]);
    }

    /// Corners within the unit circle; a circle has none.
    fn corners(self) -> Vec<At> {
        match self {
            Self::Circle => Vec::new(),
            Self::Square => around(4, 0.25 * PI, [1.0, 1.0]),
            Self::Diamond => around(4, 0.0, [1.0, 1.0]),
            Self::Triangle => around(3, 0.0, [1.0, 1.0]),
            Self::Funnel => around(3, PI, [1.0, 1.0]),
            Self::Pentagon => around(5, 0.0, [1.0, 1.0]),
            Self::Hexagon => around(6, PI / 6.0, [1.0, 1.0]),
            Self::Octagon => around(8, PI / 8.0, [1.0, 1.0]),
            Self::Star => around(10, 0.0, [1.0, 0.5]),
            Self::Plus => {
                let arms = [(0.35, -0.9), (0.35, -0.35), (0.9, -0.35), (0.9, 0.35), (0.35, 0.35)];
                let right = arms.into_iter().chain([(0.35, 0.9)]);
                let left = right.clone().map(|(x, y)| (-x, -y));
                right.chain(left).map(|(x, y)| At { x, y }).collect()
            }
            Self::Card => [(-0.98, -0.55), (0.98, -0.55), (0.98, 0.55), (-0.98, 0.55)]
                .map(|(x, y)| At { x, y })
                .into(),
        }
    }
}

/// `n` corners clockwise from the top, turned so far, at two distances in turn.
fn around(n: u32, turn: f64, distances: [f64; 2]) -> Vec<At> {
    let corner = |k: u32| {
        let angle = turn + 2.0 * PI * f64::from(k) / f64::from(n);
        let distance = distances[usize::from(k % 2 == 1)];
        At { x: distance * angle.sin(), y: -distance * angle.cos() }
    };
    (0..n).map(corner).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_shape_has_an_outline_of_its_own_within_its_size() {
        let corners = Shape::ALL.map(Shape::corners);
        let outlines: BTreeSet<String> = corners.iter().map(|it| format!("{it:?}")).collect();
        assert_eq!(outlines.len(), Shape::ALL.len());
        let furthest = corners.iter().flatten().map(|at| at.x.hypot(at.y)).fold(0.0, f64::max);
        assert!(furthest <= 1.2, "{furthest}");
    }
}
