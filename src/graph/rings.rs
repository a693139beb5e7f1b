//! Rings: accounts joined by things that people do not share with strangers.
//!
//! A union-find whose links carry the time they came into being, so that the ring
//! of an account can be read as of any instant, and late links fall into place.
//! petgraph's `UnionFind` knows only "now"; laws compare the two.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// Position of an account in [`Rings`].
pub(super) type MemberIdx = u32;

#[derive(Debug, Serialize, Deserialize)]
struct Member {
    node: u32,
    /// The member above and since when; links below it are older or unrelated.
    parent: Option<(MemberIdx, Timestamp)>,
    children: Vec<MemberIdx>,
    /// Accounts of the whole ring; kept at its topmost member only.
    n_accounts: u32,
}

/// Accounts that are linked to at least one other.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Rings {
    members: Vec<Member>,
}

impl Rings {
    /// Adds an account that is alone so far.
    #[expect(clippy::cast_possible_truncation, reason = "members are nodes, numbered by u32")]
    pub(super) fn add(&mut self, node: u32) -> MemberIdx {
        self.members.push(Member { node, parent: None, children: Vec::new(), n_accounts: 1 });
        (self.members.len() - 1) as MemberIdx
    }

    /// Joins two accounts from `since` on, unless the ring would be larger than `n_max`.
    ///
    /// Keeps a minimum spanning forest by time: a link that is displaced by an older
    /// one goes on linking what is above (incremental forest on random priorities).
    pub(super) fn link(
        &mut self,
        (one, other): (MemberIdx, MemberIdx),
        since: Timestamp,
        n_max: u32,
    ) {
        let tops = [one, other].map(|member| self.root(member, Timestamp(i64::MAX)));
        if tops[0] != tops[1] {
            let n = tops.iter().map(|&top| self.members[top as usize].n_accounts).sum();
            if n_max < n {
                return;
            }
            // One of the two stays on top; the count of the other is not read again.
            for top in tops {
                self.members[top as usize].n_accounts = n;
            }
        }
        let (mut low, mut high, mut since) = (one, other, since);
        loop {
            low = self.root(low, since);
            high = self.root(high, since);
            if low == high {
                return;
            }
            if priority(high) < priority(low) {
                (low, high) = (high, low);
            }
            let displaced = self.members[low as usize].parent.replace((high, since));
            if let Some((above, _)) = displaced {
                self.members[above as usize].children.retain(|&child| child != low);
            }
            self.members[high as usize].children.push(low);
            let Some((above, later)) = displaced else { return };
            (low, high, since) = (high, above, later);
        }
    }

    /// The member that stands for the ring at `as_of`.
    fn root(&self, member: MemberIdx, as_of: Timestamp) -> MemberIdx {
        let mut at = member;
        while let Some((above, since)) = self.members[at as usize].parent {
            if as_of < since {
                break;
            }
            at = above;
        }
        at
    }

    /// Nodes of the ring at `as_of`, at most `n_max`, smallest first; the member's own is in it.
    pub(super) fn ring(&self, member: MemberIdx, as_of: Timestamp, n_max: usize) -> Vec<u32> {
        let mut found = vec![self.root(member, as_of)];
        let mut n_expanded = 0;
        while n_expanded < found.len() && found.len() < n_max {
            let at = found[n_expanded];
            n_expanded += 1;
            for &child in &self.members[at as usize].children {
                let link = self.members[child as usize].parent;
                if link.is_some_and(|(_, since)| since <= as_of) && found.len() < n_max {
                    found.push(child);
                }
            }
        }
        if !found.contains(&member) {
            found.pop();
            found.push(member);
        }
        let mut nodes: Vec<u32> = found.iter().map(|&at| self.members[at as usize].node).collect();
        nodes.sort_unstable();
        nodes
    }
}

/// A fixed shuffle of the members: keeps the trees shallow without a random source.
fn priority(member: MemberIdx) -> (u32, MemberIdx) {
    let mut mixed = member.wrapping_mul(0x9E37_79B9);
    mixed ^= mixed >> 15;
    mixed = mixed.wrapping_mul(0x85EB_CA6B);
    (mixed ^ (mixed >> 13), member)
}

#[cfg(test)]
mod tests {
    use petgraph::unionfind::UnionFind;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_ring_at_any_instant_equals_the_union_of_the_links_until_then(
            links in prop::collection::vec((0_u32..20, 0_u32..20, 0_i64..30), 0..60),
            as_of in 0_i64..30,
        ) {
            let mut rings = Rings::default();
            for node in 0..20 {
                rings.add(node);
            }
            let mut until = UnionFind::<u32>::new(20);
            for &(a, b, since) in &links {
                rings.link((a, b), Timestamp(since), 100);
                if since <= as_of {
                    until.union(a, b);
                }
            }
            for account in 0..20 {
                let expected: Vec<u32> =
                    (0..20).filter(|&other| until.equiv(account, other)).collect();
                prop_assert_eq!(rings.ring(account, Timestamp(as_of), 100), expected);
            }
        }
    }
}
