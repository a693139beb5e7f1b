//! Roles, drafts of people, and the laws of the chain.

use proptest::prelude::*;

use super::*;

fn draft(n: usize) -> AuditDraft {
    AuditDraft {
        actor: format!("op{}", n % 3).into(),
        action: "decision.chosen".into(),
        subject: format!("order {n}").into(),
        detail: "保留".into(),
    }
}

fn chain(n_entries: usize) -> Vec<AuditEntry> {
    let mut head = AuditHead::default();
    let mut entries = Vec::new();
    for n in 0..n_entries {
        let entry = AuditEntry::next(&head, draft(n), Timestamp(7 + i64::try_from(n).unwrap()));
        head = entry.head();
        entries.push(entry);
    }
    entries
}

/// Changes one field of an entry.
fn change(entry: &mut AuditEntry, field: u8) {
    match field {
        0 => entry.sequence += 1,
        1 => entry.at = Timestamp(entry.at.0 + 1),
        2 => entry.actor = format!("{}x", entry.actor).into(),
        3 => entry.action = "decision.undone".into(),
        4 => entry.subject = Box::default(),
        5 => entry.detail = format!("{} ", entry.detail).into(),
        6 => entry.previous_hash = "ab".repeat(32).into(),
        7 => entry.hash = "ab".repeat(32).into(),
        // The end of one text moves to the start of the next one.
        _ => {
            entry.detail = format!("{}{}", entry.subject, entry.detail).into();
            entry.subject = Box::default();
        }
    }
}

proptest! {
    #[test]
    fn a_changed_entry_breaks_the_chain_where_it_stands(
        n_entries in 1_usize..20,
        at in any::<proptest::sample::Index>(),
        field in 0_u8..9,
    ) {
        let mut entries = chain(n_entries);
        let at = at.index(n_entries);
        change(&mut entries[at], field);
        let broken = verify(&entries).unwrap_err();
        prop_assert_eq!(broken.sequence, at as u64 + 1);
    }

    #[test]
    fn an_entry_whose_hash_is_made_to_fit_breaks_the_chain_behind_it(
        n_entries in 2_usize..20,
        at in any::<proptest::sample::Index>(),
    ) {
        let mut entries = chain(n_entries);
        let at = at.index(n_entries - 1);
        let head = at.checked_sub(1).map_or_else(AuditHead::default, |it| entries[it].head());
        let time = entries[at].at;
        entries[at] = AuditEntry::next(&head, draft(99), time);
        let broken = verify(&entries).unwrap_err();
        prop_assert_eq!(broken, BrokenLink { sequence: at as u64 + 2, fault: LinkFault::OtherPast });
    }

    #[test]
    fn a_removed_or_repeated_entry_breaks_the_chain_or_gives_another_end(
        n_entries in 1_usize..20,
        at in any::<proptest::sample::Index>(),
        is_removed in any::<bool>(),
    ) {
        let whole = chain(n_entries);
        let mut entries = whole.clone();
        let at = at.index(n_entries);
        if is_removed {
            entries.remove(at);
        } else {
            entries.insert(at, entries[at].clone());
        }
        let is_cut = is_removed && at == n_entries - 1;
        let end = verify(&entries);
        prop_assert_ne!(&end, &verify(&whole));
        prop_assert_eq!(end.is_ok(), is_cut, "only a cut end is a chain, a shorter one");
    }

    #[test]
    fn any_other_order_breaks_the_chain(
        order in Just((0_usize..12).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let whole = chain(12);
        let entries: Vec<AuditEntry> = order.iter().map(|&at| whole[at].clone()).collect();
        prop_assert_eq!(verify(&entries).is_ok(), order.is_sorted());
    }
}

#[test]
fn the_hash_is_blake3_of_texts_with_their_lengths() {
    let entry = &chain(2)[1];
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&64_u64.to_le_bytes());
    bytes.extend_from_slice(entry.previous_hash.as_bytes());
    bytes.extend_from_slice(&2_u64.to_le_bytes());
    bytes.extend_from_slice(&8_i64.to_le_bytes());
    for text in ["op1", "decision.chosen", "order 1", "保留"] {
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    assert_eq!(*entry.hash, *blake3::hash(&bytes).to_hex().as_str());
    assert_eq!(verify(&chain(2)).unwrap(), entry.head());
}

#[test]
fn everybody_looks_and_each_role_does_one_thing_more() {
    use Permission::{Administer, Approve, Author, Decide, Read};
    let own = [
        (Role::Viewer, None),
        (Role::Analyst, Some(Decide)),
        (Role::Strategist, Some(Author)),
        (Role::Approver, Some(Approve)),
        (Role::Admin, Some(Administer)),
    ];
    for (role, own) in own {
        for asked in [Read, Decide, Author, Approve, Administer] {
            let is_due = asked == Read || Some(asked) == own;
            assert_eq!(role.allows(asked), is_due, "{role:?} {asked:?}");
        }
        assert_eq!(Role::parse(role.as_str()), Some(role));
    }
    assert_eq!(Role::parse("root"), None);
}

fn wang() -> PersonDraft {
    PersonDraft {
        person_id: "wang.li-2_x".into(),
        name: "王丽".into(),
        roles: [Role::Analyst, Role::Admin].into(),
        is_active: true,
        key_hash: Some("0a".repeat(32).into()),
    }
}

#[test]
fn who_has_left_may_nothing_and_a_change_leaves_the_key_that_it_does_not_name() {
    let wang = wang().applied_to(None);
    assert!(wang.may(Permission::Decide) && !wang.may(Permission::Approve));
    let left = PersonDraft { is_active: false, key_hash: None, ..self::wang() };
    let left = left.applied_to(Some(&wang));
    assert_eq!(left.key_hash, wang.key_hash);
    assert!(!left.may(Permission::Read));
    let keyless = PersonDraft { key_hash: Some("".into()), ..self::wang() };
    assert_eq!(&*keyless.applied_to(Some(&wang)).key_hash, "");
}

#[test]
fn an_entry_tells_a_person_only_when_it_tells_all_of_them() {
    let wang = wang().applied_to(None);
    let told = |subject: &str, detail: String| {
        let (actor, action) = ("lin".into(), PERSON_CHANGED.into());
        let draft = AuditDraft { actor, action, subject: subject.into(), detail: detail.into() };
        wang.is_told_by(&AuditEntry::next(&AuditHead::default(), draft, Timestamp(0)))
    };
    let description = "王丽; analyst, admin; active; key 0a0a0a0a0a0a0a0a";
    assert_eq!(wang.description(), description);
    assert!(told("wang.li-2_x", description.to_owned()));
    assert!(told("wang.li-2_x", format!("{description}; a new key")));
    assert!(!told("wang", description.to_owned()));
    assert!(!told("wang.li-2_x", format!("{description}0")));
    assert!(!told("wang.li-2_x", description.replace("analyst, ", "")));
}

#[test]
fn the_hash_of_a_key_is_one_that_a_draft_takes() {
    // The first test vector of BLAKE3, of no bytes.
    let of_nothing = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
    assert_eq!(&*hash_of_key(""), of_nothing);
    let draft = PersonDraft { key_hash: Some(hash_of_key("ol_7Qk")), ..wang() };
    assert_eq!(faults(|note| draft.check(note)), [""; 0]);
}

fn faults(check: impl FnOnce(&mut dyn FnMut(&str, String))) -> Vec<String> {
    let mut fields = Vec::new();
    check(&mut |field, _| fields.push(field.to_owned()));
    fields
}

#[test]
fn a_draft_of_a_person_tells_every_wrong_field_at_once() {
    let check = |draft: PersonDraft| faults(|note| draft.check(note));
    assert_eq!(check(wang()), [""; 0]);
    let longest = PersonDraft {
        person_id: "a".repeat(PERSON_ID_CHARS_MAX).into(),
        name: "丽".repeat(PERSON_NAME_CHARS_MAX).into(),
        key_hash: None,
        ..wang()
    };
    assert_eq!(check(longest), [""; 0]);
    let wrong = PersonDraft {
        person_id: "a".repeat(PERSON_ID_CHARS_MAX + 1).into(),
        name: "丽".repeat(PERSON_NAME_CHARS_MAX + 1).into(),
        roles: [].into(),
        is_active: true,
        key_hash: Some("0A".repeat(32).into()),
    };
    assert_eq!(check(wrong), ["person_id", "name", "roles", "key_hash"]);
    for id in ["", "Wang", "wang li", "王", "a/b", "a\n"] {
        assert_eq!(check(PersonDraft { person_id: id.into(), ..wang() }), ["person_id"], "{id}");
    }
    assert_eq!(check(PersonDraft { name: "a\u{7}".into(), ..wang() }), ["name"]);
}

#[test]
fn a_draft_of_an_entry_is_bounded_and_its_action_is_a_code() {
    let check = |draft: AuditDraft| faults(|note| draft.check(note));
    assert_eq!(check(draft(1)), [""; 0]);
    let empty = AuditDraft { subject: Box::default(), detail: Box::default(), ..draft(1) };
    assert_eq!(check(empty), [""; 0]);
    for action in ["", "chosen", "Decision.chosen", "decision.", ".x", "a..b", "a b.c"] {
        assert_eq!(check(AuditDraft { action: action.into(), ..draft(1) }), ["action"], "{action}");
    }
    let wrong = AuditDraft {
        actor: Box::default(),
        action: format!("a.{}", "b".repeat(ACTION_CHARS_MAX - 1)).into(),
        subject: "s".repeat(SUBJECT_CHARS_MAX + 1).into(),
        detail: "d\n".into(),
    };
    assert_eq!(check(wrong), ["actor", "action", "subject", "detail"]);
    let long = AuditDraft { detail: "d".repeat(DETAIL_CHARS_MAX + 1).into(), ..draft(1) };
    assert_eq!(check(long), ["detail"]);
}
