//! Places for the nodes of a neighborhood: ring by hop, wedge by parent.
//!
//! A node's wedge is a sector about the middle that holds it and all that hang on it, so no two
//! branches cross. A crowded ring has several shells, on which its nodes take turns.

use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::TAU;

use crate::plot::svg::At;

/// No two nodes are closer than this.
pub const DISTANCE_MIN: f64 = 66.0;
/// From the last shell of a ring to the next ring.
const RING_GAP: f64 = 1.6 * DISTANCE_MIN;
const SHELLS_MAX: usize = 8;
/// How much a ring may grow before it gets another shell, the clearest picture first.
const STRETCHES: [f64; 5] = [1.5, 1.0, 0.7, 0.5, 0.35];
/// A picture with more shells must be so much smaller to be worth it.
const WORTH: f64 = 0.93;

/// A node to be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member<'a> {
    /// Links to the nearest seed; 0 for a seed.
    pub hop: u32,
    /// Nodes of the same group stand beside each other in their parent's wedge.
    pub group: &'a str,
    /// Which node; one that is named twice is placed once.
    pub id: &'a str,
}

/// Two nodes that belong together, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// One end.
    pub from: &'a str,
    /// The other end.
    pub to: &'a str,
    /// How much: a node hangs on the strongest link towards the seeds.
    pub weight: u64,
}

/// Angles clockwise from the top, in radians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wedge {
    /// Where it begins.
    pub from: f64,
    /// Where it ends; above `from`.
    pub to: f64,
}

/// Where a node stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// From the middle of the picture.
    pub at: At,
    /// The sector of it and of all that hang on it.
    pub wedge: Wedge,
    /// Angle within the wedge, from the top clockwise.
    pub angle: f64,
    /// The hop.
    pub ring: u32,
    /// The node one ring further in that it hangs on.
    pub parent: Option<String>,
}

/// Where every node stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// By id.
    pub places: BTreeMap<String, Place>,
    /// Middle radius of each ring, from the seeds outwards.
    pub rings: Vec<f64>,
}

/// Places nodes about the seeds. The order of members and links does not matter.
///
/// A node with no link to the ring before stands in its own ring, in a wedge of its own.
pub fn radial(members: &[Member<'_>], links: &[Link<'_>]) -> Layout {
    let forest = Forest::new(members, links);
    let Some(last) = forest.members.last() else { return Layout::default() };
    let n_rings = usize::try_from(last.hop).unwrap_or(0) + 1;
    let rings = best_rings(&forest, n_rings);
    let wedges = wedges(&forest, &rings);
    let mut taken = vec![0; n_rings];
    let mut by_angle: Vec<usize> = (0..wedges.len()).collect();
    by_angle.sort_by(|a, b| wedges[*a].from.total_cmp(&wedges[*b].from));
    let mut places = BTreeMap::new();
    for at in by_angle {
        let ring_idx = forest.ring(at);
        let ring = &rings[ring_idx];
        let radius = ring.radius + DISTANCE_MIN * (taken[ring_idx] % ring.n_shells) as f64;
        taken[ring_idx] += 1;
        let wedge = wedges[at];
        let angle = 0.5 * (wedge.from + wedge.to);
        let place = Place {
            at: At { x: radius * angle.sin(), y: -radius * angle.cos() },
            wedge,
            angle,
            ring: forest.members[at].hop,
            parent: forest.parents[at].map(|parent| forest.members[parent].id.to_owned()),
        };
        places.insert(forest.members[at].id.to_owned(), place);
    }
    let middle = |ring: &Ring| 0.5 * (ring.radius + ring.end());
    Layout { places, rings: rings.iter().map(middle).collect() }
}

/// Nodes sorted by hop, group and id, each with the one it hangs on, which stands before it.
struct Forest<'a> {
    members: Vec<Member<'a>>,
    parents: Vec<Option<usize>>,
}

impl<'a> Forest<'a> {
    fn new(members: &[Member<'a>], links: &[Link<'a>]) -> Self {
        let sorted: BTreeSet<Member<'a>> = members.iter().copied().collect();
        let mut seen = BTreeSet::new();
        let members: Vec<Member<'a>> =
            sorted.into_iter().filter(|member| seen.insert(member.id)).collect();
        let idx: BTreeMap<&str, usize> =
            members.iter().enumerate().map(|(at, member)| (member.id, at)).collect();
        let mut strongest: Vec<Option<(u64, usize)>> = vec![None; members.len()];
        let ways = links
            .iter()
            .flat_map(|it| [(it.from, it.to), (it.to, it.from)].map(|way| (way, it.weight)));
        for ((from, to), weight) in ways {
            let (Some(&inner), Some(&outer)) = (idx.get(from), idx.get(to)) else { continue };
            if members[inner].hop + 1 != members[outer].hop {
                continue;
            }
            // Of equal links the first node counts, whatever the order of the links.
            let is_better = strongest[outer]
                .is_none_or(|(best, at)| best < weight || (best == weight && inner < at));
            if is_better {
                strongest[outer] = Some((weight, inner));
            }
        }
        let parents = strongest.into_iter().map(|best| best.map(|(_, at)| at)).collect();
        Self { members, parents }
    }

    fn ring(&self, at: usize) -> usize {
        usize::try_from(self.members[at].hop).unwrap_or(0)
    }
}

/// Radius of the first shell, and how many shells there are.
#[derive(Clone, Copy)]
struct Ring {
    radius: f64,
    n_shells: usize,
}

impl Ring {
    /// Radius of the last shell.
    fn end(self) -> f64 {
        self.radius + DISTANCE_MIN * (self.n_shells - 1) as f64
    }

    /// Angle between neighbors on the same shell that keeps them apart.
    fn pace(self) -> f64 {
        // A single seed stands in the middle, where angles mean nothing.
        if self.radius == 0.0 { 0.0 } else { 2.0 * (0.5 * DISTANCE_MIN / self.radius).asin() }
    }
}

/// Rings that all fits on, with few shells and not much larger than they have to be.
fn best_rings(forest: &Forest<'_>, n_rings: usize) -> Vec<Ring> {
    let mut best: Vec<Ring> = Vec::new();
    let mut bound = f64::INFINITY;
    for stretch in STRETCHES {
        let mut rings = rings(forest, n_rings, stretch);
        // Uneven branches need more room than a ring's nodes alone: rings grow until all fits.
        while TAU < need(forest, &rings).1 {
            for ring in &mut rings {
                ring.radius *= 1.03;
            }
        }
        let furthest = rings.last().map_or(0.0, |ring| ring.end());
        if furthest < bound {
            (best, bound) = (rings, furthest * WORTH);
        }
    }
    best
}

/// As small as the nodes of each ring allow, apart from uneven branches.
fn rings(forest: &Forest<'_>, n_rings: usize, stretch: f64) -> Vec<Ring> {
    let mut counts = vec![0_usize; n_rings];
    (0..forest.members.len()).for_each(|at| counts[forest.ring(at)] += 1);
    let mut rings: Vec<Ring> = Vec::new();
    for (at, n) in counts.into_iter().enumerate() {
        let inner = match rings.last() {
            None if n <= 1 => 0.0,
            None => 0.75 * DISTANCE_MIN,
            Some(last) => last.end() + RING_GAP,
        };
        let radius = |n_shells: usize| n as f64 * DISTANCE_MIN / (TAU * n_shells as f64);
        let is_enough = |n_shells: &usize| radius(*n_shells) <= stretch * inner;
        let n_shells =
            if at == 0 { 1 } else { (1..SHELLS_MAX).find(is_enough).unwrap_or(SHELLS_MAX) };
        let radius = if n <= 1 { inner } else { inner.max(radius(n_shells)) };
        rings.push(Ring { radius, n_shells });
    }
    rings
}

/// Angle that each node and all that hang on it need, and that of all together.
fn need(forest: &Forest<'_>, rings: &[Ring]) -> (Vec<f64>, f64) {
    let slot = |at: usize| {
        let ring = rings[forest.ring(at)];
        ring.pace() / ring.n_shells as f64
    };
    let mut needs = vec![0.0; forest.members.len()];
    let mut total = gap(rings);
    for at in (0..needs.len()).rev() {
        needs[at] = f64::max(needs[at], slot(at));
        match forest.parents[at] {
            Some(parent) => needs[parent] += needs[at],
            None => total += needs[at],
        }
    }
    (needs, total)
}

/// Kept free where the circle closes: there, the turns of the shells do not meet.
fn gap(rings: &[Ring]) -> f64 {
    let turn = |ring: &Ring| ring.pace() * (ring.n_shells - 1) as f64 / ring.n_shells as f64;
    rings.iter().map(turn).fold(0.0, f64::max)
}

/// Spreads the whole circle over the nodes, by what they need.
fn wedges(forest: &Forest<'_>, rings: &[Ring]) -> Vec<Wedge> {
    let (needs, total) = need(forest, rings);
    let mut within = vec![0.0; needs.len()];
    for (at, parent) in forest.parents.iter().enumerate() {
        if let Some(parent) = parent {
            within[*parent] += needs[at];
        }
    }
    let stretch = if 0.0 < total { TAU / total } else { 0.0 };
    let mut wedges: Vec<Wedge> = Vec::new();
    let mut free: Vec<f64> = Vec::new();
    let mut free_outside = 0.0;
    for (at, parent) in forest.parents.iter().enumerate() {
        let (from, width) = match *parent {
            None => (free_outside, stretch * needs[at]),
            Some(parent) => {
                let wedge = wedges[parent];
                (free[parent], (wedge.to - wedge.from) * needs[at] / within[parent])
            }
        };
        match *parent {
            None => free_outside = from + width,
            Some(parent) => free[parent] = from + width,
        }
        wedges.push(Wedge { from, to: from + width });
        free.push(from);
    }
    wedges
}

#[cfg(test)]
#[path = "radial_tests.rs"]
mod tests;
