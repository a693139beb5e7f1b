//! Who asks: pages want a person, most actions a permission.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::console::failure::Failure;
use crate::console::parts::Console;
use crate::console::preferences::{Preferences, cookie};
use crate::console::session::Token;
use crate::domain::access::{Permission, Person};
use crate::workflow::access_service::AccessService as _;

/// Cookie of the session.
pub const SESSION_COOKIE: &str = "orderlens_session";

/// Somebody who is signed in, and what their browser asks for.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Who.
    pub person: Person,
    /// Their session.
    pub session: Token,
    /// Language, colors, keys.
    pub preferences: Preferences,
    /// Path and query of the page.
    pub path: String,
}

impl Visit {
    /// Goes on when the person may do it.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn need(&self, permission: Permission) -> Result<(), Failure> {
        if self.person.may(permission) { Ok(()) } else { Err(Failure::Forbidden(permission)) }
    }

    /// True when the person may do it.
    pub fn may(&self, permission: Permission) -> bool {
        self.person.may(permission)
    }
}

impl FromRequestParts<Arc<Console>> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(
        parts: &mut Parts,
        console: &Arc<Console>,
    ) -> Result<Self, Failure> {
        let path = parts.uri.path_and_query().map_or("/", |it| it.as_str()).to_owned();
        // Coming back to a form that was sent would show a page that does not exist.
        let back = if parts.method.is_safe() { path.clone() } else { "/".to_owned() };
        let asks = || Failure::SignIn { back: back.clone() };
        let session = cookie(&parts.headers, SESSION_COOKIE).map(Token::given).ok_or_else(asks)?;
        let person_id = console.sessions.person(&session, console.now()).ok_or_else(asks)?;
        let people = console.engine.list_people().await?;
        let person = people.into_iter().find(|it| it.person_id == person_id && it.is_active);
        let preferences = Preferences::of(&parts.headers);
        Ok(Self { person: person.ok_or_else(asks)?, session, preferences, path })
    }
}
