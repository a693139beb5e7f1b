//! Laws of the places of nodes.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A neighborhood as the service may give it: up to 3 hops, some nodes without a link inwards.
#[derive(Clone, Debug)]
struct Drawn {
    nodes: Vec<(u32, String, String)>,
    links: Vec<(String, String, u64)>,
}

impl Drawn {
    fn members(&self) -> Vec<Member<'_>> {
        self.nodes.iter().map(|(hop, group, id)| Member { hop: *hop, group, id }).collect()
    }

    fn links(&self) -> Vec<Link<'_>> {
        self.links.iter().map(|(from, to, weight)| Link { from, to, weight: *weight }).collect()
    }
}

fn drawn(n_max: usize) -> impl Strategy<Value = Drawn> {
    let node = (0..4_u32, 0..4_u32, any::<prop::sample::Index>(), 0..3_u64, 0..20_u32);
    (1..17_usize, vec(node, 0..n_max)).prop_map(|(n_seeds, rest)| {
        let mut drawn = Drawn { nodes: Vec::new(), links: Vec::new() };
        for at in 0..n_seeds {
            drawn.nodes.push((0, "seed".into(), format!("s{at}")));
        }
        for (at, (hop, group, parent, weight, luck)) in rest.into_iter().enumerate() {
            let (id, hop) = (format!("n{at}"), hop.max(1));
            let inner: Vec<&String> =
                drawn.nodes.iter().filter(|it| it.0 + 1 == hop).map(|it| &it.2).collect();
            if !inner.is_empty() && 0 < luck {
                let link = (id.clone(), inner[parent.index(inner.len())].clone(), weight);
                drawn.links.push(link);
            }
            drawn.nodes.push((hop, format!("g{group}"), id));
        }
        drawn
    })
}

fn closest(layout: &Layout) -> f64 {
    let places: Vec<&Place> = layout.places.values().collect();
    let pairs = places.iter().enumerate().flat_map(|(at, a)| {
        places[at + 1..].iter().map(|b| (a.at.x - b.at.x).hypot(a.at.y - b.at.y))
    });
    pairs.fold(f64::INFINITY, f64::min)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_two_nodes_are_close(drawn in drawn(490)) {
        let layout = radial(&drawn.members(), &drawn.links());
        prop_assert_eq!(layout.places.len(), drawn.nodes.len());
        let closest = closest(&layout);
        prop_assert!(DISTANCE_MIN - 1e-6 <= closest, "{closest}");
    }

    #[test]
    fn every_node_stands_in_its_own_and_in_its_parents_wedge(drawn in drawn(200)) {
        let layout = radial(&drawn.members(), &drawn.links());
        for place in layout.places.values() {
            prop_assert!(place.wedge.from <= place.angle && place.angle <= place.wedge.to);
            let Some(parent) = &place.parent else { continue };
            let parent = &layout.places[parent];
            prop_assert_eq!(parent.ring + 1, place.ring);
            prop_assert!(parent.wedge.from - 1e-9 <= place.wedge.from);
            prop_assert!(place.wedge.to <= parent.wedge.to + 1e-9);
        }
    }

    #[test]
    fn wedges_of_one_ring_do_not_overlap(drawn in drawn(200)) {
        let layout = radial(&drawn.members(), &drawn.links());
        for ring in 0..4 {
            let places = layout.places.values().filter(|place| place.ring == ring);
            let mut wedges: Vec<Wedge> = places.map(|place| place.wedge).collect();
            wedges.sort_by(|a, b| a.from.total_cmp(&b.from));
            for pair in wedges.windows(2) {
                prop_assert!(pair[0].to <= pair[1].from + 1e-9, "{pair:?}");
            }
        }
    }

    #[test]
    fn a_further_ring_is_further_out(drawn in drawn(300)) {
        let layout = radial(&drawn.members(), &drawn.links());
        let distances = |ring: u32| {
            let places = layout.places.values().filter(move |place| place.ring == ring);
            places.map(|place| place.at.x.hypot(place.at.y))
        };
        for ring in 1..4 {
            let inner = distances(ring - 1).fold(0.0, f64::max);
            let outer = distances(ring).fold(f64::INFINITY, f64::min);
            prop_assert!(inner < outer, "{inner} {outer}");
        }
    }

    #[test]
    fn the_order_of_nodes_and_links_does_not_matter(
        (drawn, shuffled) in drawn(80).prop_flat_map(|drawn| {
            let nodes = Just(drawn.nodes.clone()).prop_shuffle();
            let links = Just(drawn.links.clone()).prop_shuffle();
            let turned = (nodes, links).prop_map(|(nodes, links)| Drawn { nodes, links });
            (Just(drawn), turned)
        })
    ) {
        let layout = radial(&drawn.members(), &drawn.links());
        prop_assert_eq!(layout, radial(&shuffled.members(), &shuffled.links()));
    }
}

#[test]
fn a_single_seed_stands_in_the_middle() {
    let seed = Member { hop: 0, group: "account", id: "a" };
    let layout = radial(&[seed, seed], &[]);
    assert_eq!(layout.places.len(), 1, "named twice, placed once");
    assert_eq!(layout.places["a"].at, At { x: 0.0, y: -0.0 });
    assert_eq!(radial(&[], &[]), Layout::default());
}

#[test]
fn a_full_star_stays_small_enough_to_be_read() {
    let ids: Vec<String> = (0..499).map(|at| format!("{at:03}")).collect();
    let mut members = vec![Member { hop: 0, group: "", id: "seed" }];
    members.extend(ids.iter().map(|id| Member { hop: 1, group: "", id }));
    let links: Vec<Link<'_>> =
        ids.iter().map(|id| Link { from: "seed", to: id, weight: 1 }).collect();
    let layout = radial(&members, &links);
    let furthest = layout.places.values().map(|it| it.at.x.hypot(it.at.y)).fold(0.0, f64::max);
    assert!(closest(&layout) >= DISTANCE_MIN - 1e-6);
    assert!(furthest < 1_250.0, "{furthest}");
}

#[test]
fn a_node_hangs_on_the_strongest_link_then_on_the_first_node() {
    let of = |hop: u32, id: &'static str| Member { hop, group: "", id };
    let members = [of(0, "a"), of(0, "b"), of(1, "c"), of(1, "d")];
    let link = |from, to, weight| Link { from, to, weight };
    let links = [link("b", "c", 2), link("c", "a", 1), link("d", "b", 1), link("a", "d", 1)];
    let layout = radial(&members, &links);
    assert_eq!(layout.places["c"].parent.as_deref(), Some("b"));
    assert_eq!(layout.places["d"].parent.as_deref(), Some("a"));
}
