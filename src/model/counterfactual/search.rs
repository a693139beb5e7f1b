//! The search: one lever, then two, then three; stops at the first that does.

use crate::model::counterfactual::answer::{Change, Choice, Found, Proof};
use crate::model::counterfactual::cubes::Cubes;
use crate::model::counterfactual::greedy;
use crate::model::counterfactual::pairs::Pairs;
use crate::model::counterfactual::question::Question;
use crate::model::counterfactual::search_forest::SearchForest;
use crate::model::counterfactual::singles::{NEVER, Singles};
use crate::model::counterfactual::triples::{Trees, Triples};

/// Most levers that one change moves.
pub const CHANGES_MAX: usize = 3;

/// Finds the smallest changes of an order that meet a goal. An order that meets it
/// already needs none: the list is empty and the proof complete.
pub fn smallest_changes(forest: &SearchForest, question: &Question<'_>) -> Found {
    let margin = forest.margin(question.ranks);
    if question.goal.is_met(margin) || question.limits.answers_max == 0 {
        return Found { answers: Vec::new(), proof: Proof::Complete, work: 0 };
    }
    let cubes = Cubes::new(forest, question);
    let singles = Singles::new(&cubes);
    let mut search = Search {
        question,
        cubes: &cubes,
        singles: &singles,
        need: question.goal.need(margin),
        work: question.levers.n_settings() as u64,
        found: Vec::new(),
    };
    let proof = match search.run() {
        Ok(()) => Proof::Complete,
        Err(OutOfBudget) => Proof::Budget,
    };
    let (mut found, work) = (search.found, search.work);
    if found.is_empty() && proof == Proof::Budget {
        found.extend(
            greedy::best_by_steps(forest, question)
                .map(|chosen| Candidate { cost: question.cost(&chosen), chosen }),
        );
    }
    let answers = diverse(found, question.limits.answers_max)
        .into_iter()
        .map(|it| it.describe(forest, question, proof))
        .collect();
    Found { answers, proof, work }
}

/// The work budget ended.
struct OutOfBudget;

/// The cheapest settings found on one set of levers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    cost: u32,
    /// Lever and position of its setting, by lever.
    chosen: Vec<(usize, usize)>,
}

struct Search<'a> {
    question: &'a Question<'a>,
    cubes: &'a Cubes<'a>,
    singles: &'a Singles,
    /// Largest shift that meets the goal.
    need: i64,
    work: u64,
    found: Vec<Candidate>,
}

/// Three levers whose bound reaches the goal, most promising first.
#[derive(Clone, Copy)]
struct Triple<'t> {
    bound: i64,
    levers: [usize; 3],
    trees: Trees<'t>,
    /// No three settings interact less.
    lowest: i64,
}

impl Search<'_> {
    fn run(&mut self) -> Result<(), OutOfBudget> {
        self.one_lever();
        if !self.found.is_empty() {
            return Ok(());
        }
        let mut pairs = Pairs::new(self.cubes);
        self.two_levers(&mut pairs)?;
        if !self.found.is_empty() {
            return Ok(());
        }
        self.three_levers(&mut pairs)
    }

    fn n_levers(&self) -> usize {
        self.cubes.n_settings.len()
    }

    fn spend(&mut self, work: u64) -> Result<(), OutOfBudget> {
        self.work += work;
        if self.work <= self.question.limits.work_max { Ok(()) } else { Err(OutOfBudget) }
    }

    /// Sum of the cheapest settings of some levers.
    fn cost_min(&self, levers: &[usize]) -> u32 {
        let cheapest = |lever: &usize| {
            let costs = self.question.levers.settings(*lever).iter().map(|setting| setting.cost);
            costs.min().unwrap_or(0)
        };
        levers.iter().map(cheapest).fold(0, u32::saturating_add)
    }

    /// Takes a change if it is plausible and the cheapest so far on its levers.
    fn offer(&self, best: &mut Option<Candidate>, chosen: &[(usize, usize)]) {
        let cost = self.question.cost(chosen);
        let is_cheaper = best.as_ref().is_none_or(|best| cost < best.cost);
        if is_cheaper && self.question.is_plausible(chosen) {
            *best = Some(Candidate { cost, chosen: chosen.to_vec() });
        }
    }

    /// True when a setting contradicts no lever that stays as it is.
    fn fits(&self, lever: usize, setting: usize, moved: u64) -> bool {
        self.question.levers.settings(lever)[setting].conflicts & !moved == 0
    }

    /// Lowest shift of a lever over the settings that can be part of `n_changes`.
    fn lowest(&self, lever: usize, n_changes: u32) -> i64 {
        let settings = self.question.levers.settings(lever);
        let usable = self.singles.of(lever).iter().zip(settings);
        let usable = usable.filter(|(_, it)| it.conflicts.count_ones() < n_changes);
        usable.map(|(shift, _)| *shift).min().unwrap_or(NEVER)
    }

    fn one_lever(&mut self) {
        for lever in 0..self.n_levers() {
            let mut best = None;
            for (setting, &shift) in self.singles.of(lever).iter().enumerate() {
                if shift <= self.need {
                    self.offer(&mut best, &[(lever, setting)]);
                }
            }
            self.found.extend(best);
        }
    }

    fn two_levers(&mut self, pairs: &mut Pairs) -> Result<(), OutOfBudget> {
        let lowest: Vec<i64> = (0..self.n_levers()).map(|lever| self.lowest(lever, 2)).collect();
        for a in 0..self.n_levers() {
            for b in a + 1..self.n_levers() {
                self.spend(1)?;
                if lowest[a] + lowest[b] + pairs.lowest(a, b) <= self.need {
                    self.spend(2 * pairs.work(self.cubes, a, b))?;
                    let best = self.scan_pair((a, b), pairs.grid(self.cubes, a, b));
                    self.found.extend(best);
                }
            }
        }
        Ok(())
    }

    fn scan_pair(&self, (a, b): (usize, usize), grid: &[i64]) -> Option<Candidate> {
        let moved = 1 << a | 1 << b;
        let columns = self.singles.of(b);
        let (costs_a, costs_b) = (self.costs(a), self.costs(b));
        let mut best: Option<Candidate> = None;
        for (row, (line, &shift)) in
            grid.chunks_exact(columns.len()).zip(self.singles.of(a)).enumerate()
        {
            if !self.fits(a, row, moved) {
                continue;
            }
            let need = self.need - shift;
            for (column, (cell, shift)) in line.iter().zip(columns).enumerate() {
                let limit = best.as_ref().map_or(u32::MAX, |best| best.cost);
                if cell + shift <= need && costs_a[row].saturating_add(costs_b[column]) < limit {
                    self.offer(&mut best, &[(a, row), (b, column)]);
                }
            }
        }
        best
    }

    fn three_levers(&mut self, pairs: &mut Pairs) -> Result<(), OutOfBudget> {
        let trees = Triples::new(self.cubes);
        let lowest: Vec<i64> = (0..self.n_levers()).map(|lever| self.lowest(lever, 3)).collect();
        let mut left = self.promising_triples(&lowest, pairs, &trees)?;
        left.sort_by_key(|triple| (triple.bound, triple.levers));
        for triple in left {
            let [a, b, c] = triple.levers;
            for (a, b) in [(a, b), (a, c), (b, c)] {
                self.spend(2 * pairs.work(self.cubes, a, b))?;
                pairs.grid(self.cubes, a, b);
            }
            // Grids make the pairs' bounds exact.
            let bound = bound(&lowest, pairs, triple.levers) + triple.lowest;
            if bound <= self.need && self.cost_min(&triple.levers) < self.cost_limit() {
                let mut best = None;
                let scanned = self.scan_triple(pairs, &triple, &mut best);
                self.found.extend(best);
                scanned?;
            }
        }
        Ok(())
    }

    fn promising_triples<'t>(
        &mut self,
        lowest: &[i64],
        pairs: &Pairs,
        trees: &'t Triples,
    ) -> Result<Vec<Triple<'t>>, OutOfBudget> {
        let mut left = Vec::new();
        for a in 0..self.n_levers() {
            for b in a + 1..self.n_levers() {
                for c in b + 1..self.n_levers() {
                    let (levers, trees) = ([a, b, c], trees.of([a, b, c]));
                    self.spend(1 + trees.work(self.cubes))?;
                    let lowest_of_trees = trees.lowest(self.cubes);
                    let bound = bound(lowest, pairs, levers) + lowest_of_trees;
                    let triple = Triple { bound, levers, trees, lowest: lowest_of_trees };
                    left.extend((bound <= self.need).then_some(triple));
                }
            }
        }
        Ok(left)
    }

    /// What a further change has to cost less than: once there are answers enough, only a
    /// cheaper first one is of interest.
    fn cost_limit(&self) -> u32 {
        let cheapest = self.found.iter().map(|found| found.cost).min();
        let is_enough = self.question.limits.answers_max <= self.found.len();
        cheapest.filter(|_| is_enough).unwrap_or(u32::MAX)
    }

    /// Goes through the settings of the first two levers, the cheap ones of the first before
    /// the others; the third is looked at only where the lowest that it could add reaches the
    /// goal at a price that still counts.
    fn scan_triple(
        &mut self,
        pairs: &Pairs,
        triple: &Triple<'_>,
        best: &mut Option<Candidate>,
    ) -> Result<(), OutOfBudget> {
        let [a, b, c] = triple.levers;
        let moved = 1 << a | 1 << b | 1 << c;
        let made = |x, y| pairs.made(self.cubes, x, y);
        let (ab, ac, bc) = (made(a, b), made(a, c), made(b, c));
        let singles = self.singles;
        let (of_a, of_b, of_c) = (singles.of(a), singles.of(b), singles.of(c));
        let (n_b, n_c) = (of_b.len(), of_c.len());
        let with_c = |line: &[i64]| line.iter().zip(of_c).map(|(i, d)| i + d).min();
        let lowest_of_row: Vec<i64> = ac.chunks_exact(n_c).filter_map(with_c).collect();
        let lowest_of_column: Vec<i64> =
            bc.chunks_exact(n_c).filter_map(|line| line.iter().copied().min()).collect();
        self.spend((ac.len() + bc.len()) as u64)?;
        let (costs_a, costs_b) = (self.costs(a), self.costs(b));
        let cheapest = (self.cost_min(&[b, c]), self.cost_min(&[c]));
        let mut rows: Vec<usize> =
            (0..of_a.len()).filter(|row| self.fits(a, *row, moved)).collect();
        rows.sort_by_key(|row| (costs_a[*row], *row));
        let mut line = vec![0; n_c];
        for row in rows {
            let limit = best.as_ref().map_or(u32::MAX, |best| best.cost).min(self.cost_limit());
            let mut work = n_b as u64;
            if limit <= costs_a[row].saturating_add(cheapest.0) {
                break;
            }
            let need = self.need - of_a[row] - lowest_of_row[row] - triple.lowest;
            for column in 0..n_b {
                let shift = of_b[column] + ab[row * n_b + column];
                let cost = costs_a[row].saturating_add(costs_b[column]).saturating_add(cheapest.1);
                let can_do = shift + lowest_of_column[column] <= need && cost < limit;
                if !can_do || !self.fits(b, column, moved) {
                    continue;
                }
                let terms = ac[row * n_c..].iter().zip(&bc[column * n_c..]).zip(of_c);
                for (cell, ((i_ac, i_bc), d)) in line.iter_mut().zip(terms) {
                    *cell = of_a[row] + shift + i_ac + i_bc + d;
                }
                triple.trees.add_line(self.cubes, (narrow(row), narrow(column)), &mut line);
                work += (n_c * (1 + triple.trees.len())) as u64;
                for third in (0..n_c).filter(|third| line[*third] <= self.need) {
                    self.offer(best, &[(a, row), (b, column), (c, third)]);
                }
            }
            self.spend(work)?;
        }
        Ok(())
    }

    fn costs(&self, lever: usize) -> Vec<u32> {
        self.question.levers.settings(lever).iter().map(|setting| setting.cost).collect()
    }
}

/// Lowest shift of three levers without the interaction of all three: the sum of the minima
/// of its terms.
fn bound(lowest: &[i64], pairs: &Pairs, [a, b, c]: [usize; 3]) -> i64 {
    lowest[a] + lowest[b] + lowest[c] + pairs.lowest(a, b) + pairs.lowest(a, c) + pairs.lowest(b, c)
}

/// Positions of settings are below [`super::lever::SETTINGS_MAX`].
fn narrow(position: usize) -> u8 {
    u8::try_from(position).unwrap_or(u8::MAX)
}

/// The cheapest, then those that share the fewest levers with the ones before.
fn diverse(mut found: Vec<Candidate>, n_max: usize) -> Vec<Candidate> {
    found.sort_unstable();
    let mut answers: Vec<Candidate> = Vec::new();
    while answers.len() < n_max {
        let n_shared = |candidate: &Candidate| {
            let levers = answers.iter().flat_map(|answer| &answer.chosen).map(|(lever, _)| lever);
            levers.filter(|lever| candidate.chosen.iter().any(|(own, _)| own == *lever)).count()
        };
        let next = (0..found.len()).min_by_key(|at| n_shared(&found[*at]));
        let Some(next) = next else { break };
        answers.push(found.remove(next));
    }
    answers
}

impl Candidate {
    fn describe(self, forest: &SearchForest, question: &Question<'_>, proof: Proof) -> Change {
        let mut ranks = question.ranks.to_vec();
        for &(lever, setting) in &self.chosen {
            question.levers.apply(&question.levers.settings(lever)[setting], &mut ranks);
        }
        let choices = self.chosen.iter().map(|&(lever, setting)| Choice { lever, setting });
        Change {
            choices: choices.collect(),
            cost: self.cost,
            margin: forest.margin(&ranks),
            is_proven_minimal: proof == Proof::Complete,
        }
    }
}
