//! Laws and a picture of a neighborhood.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::plot::well_formed::faults;

const CAPTION: Caption<'_> =
    Caption { id: "net", title: "Evidence graph", desc: "5 entities, 5 links; one ended badly." };

fn node(id: &str, kind: &str, shape: Shape, hop: u32, label: &str) -> Node {
    Node {
        id: id.into(),
        kind: kind.into(),
        shape,
        hop,
        label: label.into(),
        title: format!("{kind} {label}"),
        href: format!("/graph?focus={id}"),
        state: State::Unknown,
        marks: Vec::new(),
    }
}

fn edge(from: &str, to: &str, n_orders: u64) -> Edge {
    Edge {
        from: from.into(),
        to: to.into(),
        n_orders,
        first_seen_s: 1_772_230_200,
        title: format!("{n_orders} orders"),
        marks: Vec::new(),
    }
}

/// An order's account and card, the device of the account, and who else used it.
fn ring() -> (Vec<Node>, Vec<Edge>) {
    let mut nodes = vec![
        node("a1", "account", Shape::Circle, 0, "张三 account"),
        node("p1", "payment", Shape::Card, 0, "card ··42"),
        node("d1", "device", Shape::Square, 1, "device 7f3a9c"),
        node("i1", "ip", Shape::Diamond, 1, "办公室网络地址"),
        node("a2", "account", Shape::Circle, 2, "a2"),
    ];
    nodes[0].marks = vec![Mark::Own, Mark::Path];
    nodes[1].marks = vec![Mark::Own];
    nodes[2].marks = vec![Mark::Path];
    nodes[3].marks = vec![Mark::Hub, Mark::More];
    nodes[3].state = State::Good;
    nodes[4].state = State::Bad;
    nodes[4].marks = vec![Mark::Path];
    let mut edges = vec![
        edge("a1", "d1", 3),
        edge("d1", "a2", 12),
        edge("a1", "p1", 1),
        edge("p1", "i1", 640),
        edge("a1", "gone", 1),
    ];
    edges[0].marks = vec![Mark::Path];
    edges[1].marks = vec![Mark::Path];
    (nodes, edges)
}

#[test]
fn a_neighborhood_is_drawn_with_shapes_marks_and_links() {
    let (nodes, edges) = ring();
    let picture = network(CAPTION, &nodes, &edges);
    assert_eq!(faults(&picture), Vec::<String>::new());
    assert!(!picture.contains("data-to=\"gone\""), "a link to a node that is not there");
    insta::assert_snapshot!(picture);
}

#[test]
fn the_path_is_drawn_above_other_links_and_below_the_nodes() {
    let (nodes, edges) = ring();
    let picture = network(CAPTION, &nodes, &edges);
    let last_beside = picture.rfind("class=\"edge\"");
    let first_on_path = picture.find("class=\"edge path\"");
    assert!(last_beside < first_on_path, "{picture}");
    assert!(picture.rfind("<line") < picture.find("<a class=\"node"), "{picture}");
}

#[test]
fn an_emblem_is_whole_and_nothing_is_an_empty_picture() {
    for picture in Shape::ALL.map(|shape| emblem("sku", shape)) {
        assert_eq!(faults(&picture), Vec::<String>::new(), "{picture}");
    }
    assert_eq!(faults(&network(CAPTION, &[], &[])), Vec::<String>::new());
}

#[test]
fn what_is_read_aloud_holds_the_label() {
    let mut node = node("a", "sku", Shape::Plus, 0, "red shoe");
    assert_eq!(spoken(&node), "sku red shoe");
    node.title = "7 orders".into();
    assert_eq!(spoken(&node), "red shoe: 7 orders");
}

#[test]
fn more_orders_make_a_link_wider_up_to_a_bound() {
    let widths = [0, 1, 2, 10, 1_000, u64::MAX].map(edge_width);
    assert!(widths.is_sorted() && widths[1] < widths[2] && widths[5] <= EDGE_WIDTH_MAX);
}

proptest! {
    #[test]
    fn labels_meet_no_other_label_and_no_other_node(
        hops in vec(1..4_u32, 1..200),
        label in "[a-z中文]{4,16}",
    ) {
        let named = hops.iter().enumerate();
        let nodes: Vec<Node> = named
            .map(|(at, hop)| node(&format!("{at:03}"), "sku", Shape::Plus, *hop, &label))
            .collect();
        let layout = layout(&nodes, &[]);
        let places: Vec<At> = layout.places.values().map(|place| place.at).collect();
        for (at, own) in places.iter().enumerate() {
            let half = 0.5 * label_room(&layout, *own);
            prop_assert!(24.0 <= half, "{half}");
            let (upper, lower) = (own.y + LABEL_DOWN - LABEL_FONT, own.y + LABEL_DOWN + 3.0);
            for (_, other) in places.iter().enumerate().filter(|(k, _)| *k != at) {
                let is_beside = half + SIZE < (other.x - own.x).abs();
                let is_node_apart = other.y + SIZE <= upper || lower <= other.y - SIZE;
                prop_assert!(is_beside || is_node_apart, "{own:?} {other:?}");
                let halves = half + 0.5 * label_room(&layout, *other);
                let is_label_apart = 14.5 <= (other.y - own.y).abs();
                prop_assert!(halves < (other.x - own.x).abs() || is_label_apart);
            }
        }
    }

    #[test]
    fn every_name_is_escaped_and_every_node_drawn_once(
        names in vec("[a-z<>&\"'张/ ]{1,12}", 1..30),
    ) {
        let named = names.iter().enumerate();
        let nodes: Vec<Node> = named
            .map(|(at, name)| {
                let hop = u32::try_from(at % 3).unwrap_or(0);
                node(&format!("{at}{name}"), "sku", Shape::ALL[at % 11], hop, name)
            })
            .collect();
        let edges: Vec<Edge> =
            nodes.windows(2).map(|pair| edge(&pair[0].id, &pair[1].id, 2)).collect();
        let picture = network(CAPTION, &nodes, &edges);
        prop_assert_eq!(faults(&picture), Vec::<String>::new());
        prop_assert_eq!(picture.matches("<a class=\"node").count(), nodes.len());
        prop_assert_eq!(picture.matches("<line class=\"edge").count(), edges.len());
        let turned: Vec<Node> = nodes.iter().rev().cloned().collect();
        prop_assert_eq!(picture, network(CAPTION, &turned, &edges));
    }
}
