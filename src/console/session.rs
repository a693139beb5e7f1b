//! Who is signed in: sessions and one-time links, in memory and for a while.
//!
//! Tokens are 256 random bits. Only their hashes are kept, so that nothing in memory signs
//! anybody in; a restart signs everybody out.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::time::{Span, Timestamp};

/// Most sessions, and most links, at a time; the one that ends first makes room.
const KEPT_MAX: usize = 10_000;
/// How long a one-time link is good for.
pub const LINK_LIFE: Span = Span::hours(24);

/// A token that a browser keeps, in hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token of random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(blake3::Hash::from_bytes(random).to_hex().to_string())
    }

    /// What a browser sent.
    pub fn given(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The token, for the browser's eyes only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> [u8; 32] {
        *blake3::hash(self.0.as_bytes()).as_bytes()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(***)")
    }
}

/// Who a token speaks for, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pass {
    person_id: Box<str>,
    until: Timestamp,
}

/// Sessions and links.
#[derive(Debug, Default)]
pub struct Sessions {
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    sessions: BTreeMap<[u8; 32], Pass>,
    links: BTreeMap<[u8; 32], Pass>,
}

impl Sessions {
    /// Makes a link good for one sign-in of a person.
    pub fn invite(&self, token: &Token, person_id: &str, now: Timestamp) {
        let pass = Pass { person_id: person_id.into(), until: now + LINK_LIFE };
        keep(&mut self.lock().links, token, pass);
    }

    /// The person of a link that is still good; it stays good.
    pub fn invited(&self, link: &Token, now: Timestamp) -> Option<Box<str>> {
        let book = self.lock();
        let pass = book.links.get(&link.hash())?;
        (now < pass.until).then(|| pass.person_id.clone())
    }

    /// Uses a link up; the person that it was for.
    pub fn accept(&self, link: &Token, now: Timestamp) -> Option<Box<str>> {
        let pass = self.lock().links.remove(&link.hash())?;
        (now < pass.until).then_some(pass.person_id)
    }

    /// Starts a session.
    pub fn start(&self, token: &Token, person_id: &str, until: Timestamp) {
        keep(&mut self.lock().sessions, token, Pass { person_id: person_id.into(), until });
    }

    /// Whose session it is.
    pub fn person(&self, token: &Token, now: Timestamp) -> Option<Box<str>> {
        let book = self.lock();
        let pass = book.sessions.get(&token.hash())?;
        (now < pass.until).then(|| pass.person_id.clone())
    }

    /// Ends a session.
    pub fn end(&self, token: &Token) {
        self.lock().sessions.remove(&token.hash());
    }

    /// Ends every session and link of a person.
    pub fn end_all(&self, person_id: &str) {
        let mut book = self.lock();
        book.sessions.retain(|_, pass| &*pass.person_id != person_id);
        book.links.retain(|_, pass| &*pass.person_id != person_id);
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        // Every change is one call on a map, so a panicked neighbor has left it usable.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep(passes: &mut BTreeMap<[u8; 32], Pass>, token: &Token, pass: Pass) {
    if KEPT_MAX <= passes.len() {
        let first = passes.iter().min_by_key(|(_, pass)| pass.until).map(|(hash, _)| *hash);
        if let Some(hash) = first {
            passes.remove(&hash);
        }
    }
    passes.insert(token.hash(), pass);
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    #[test]
    fn a_link_is_good_once_and_for_a_day() {
        let (sessions, link) = (Sessions::default(), Token::new([7; 32]));
        sessions.invite(&link, "li", NOW);
        assert_eq!(sessions.invited(&link, NOW), Some("li".into()));
        assert_eq!(sessions.accept(&link, NOW), Some("li".into()));
        assert_eq!(sessions.accept(&link, NOW), None);
        sessions.invite(&link, "li", NOW);
        assert_eq!(sessions.accept(&link, NOW + LINK_LIFE), None);
        assert_eq!(sessions.accept(&Token::given("x"), NOW), None);
    }

    #[test]
    fn a_session_ends_in_time_by_hand_and_with_its_person() {
        let (sessions, token) = (Sessions::default(), Token::new([8; 32]));
        let until = NOW + Span::HOUR;
        sessions.start(&token, "li", until);
        assert_eq!(sessions.person(&token, NOW), Some("li".into()));
        assert_eq!(sessions.person(&token, until), None);
        sessions.end(&token);
        assert_eq!(sessions.person(&token, NOW), None);
        sessions.start(&token, "li", until);
        sessions.end_all("li");
        assert_eq!(sessions.person(&token, NOW), None);
    }

    #[test]
    fn a_token_shows_itself_to_nobody() {
        assert_eq!(format!("{:?}", Token::new([9; 32])), "Token(***)");
    }
}
