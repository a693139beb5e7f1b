//! What floors above know of sources and sinks: mistakes no file shows alone.

use crate::config::reader::{Found, Section};
use crate::config::secret::secret_text;

/// Whether what a name of the file stands for is right; the answer repeats none of it.
type Judge = fn(&str) -> Result<(), String>;

/// Rules for words of the sections about sources and sinks.
#[derive(Clone, Debug)]
pub struct OutsideRules {
    /// Kinds of events that a source may tell.
    pub event_kinds: Vec<&'static str>,
    /// Kinds of notices that a sink may be told.
    pub notice_kinds: Vec<&'static str>,
    /// Judges the secret of webhooks.
    pub secret: Judge,
    /// Judges addresses of brokers.
    pub brokers: Judge,
    /// Judges the address of a sink.
    pub url: Judge,
    /// Judges files of authorities.
    pub authorities: Judge,
    /// Whether variables are looked at.
    pub environment: Environment,
}

/// Whether the environment of this process is the one that the service will have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// It is.
    Same,
    /// It is another one, so what is set in it says nothing.
    Other,
}

/// What there may be in a list of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kinds {
    Events,
    Notices,
}

/// What a variable may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Secret,
    /// A secret that is there only while another one takes its place.
    PreviousSecret,
    Brokers,
}

impl OutsideRules {
    /// Reports every kind that is not known.
    pub(super) fn kinds(&self, section: &Section<'_>, words: &[Found<String>], of: Kinds) {
        let known = match of {
            Kinds::Events => &self.event_kinds,
            Kinds::Notices => &self.notice_kinds,
        };
        for word in words {
            section.one_of(word, known, |name| *name);
        }
    }

    /// Reports a variable that is not set or holds nothing of use.
    pub(super) fn variable(&self, section: &Section<'_>, name: &Found<String>, holds: Holds) {
        if self.environment == Environment::Other {
            return;
        }
        let (key, variable) = (&name.key, &name.value);
        let judge = match holds {
            Holds::Secret | Holds::PreviousSecret => self.secret,
            Holds::Brokers => self.brokers,
        };
        let why = match secret_text(variable) {
            Ok(Some(text)) => judge(&text),
            Ok(None) if holds == Holds::PreviousSecret => Ok(()),
            Ok(None) => {
                let message = format!("{key}: {variable} is not set");
                let help = format!("set it, or let {variable}_FILE name a file that holds it");
                section.report_suggesting(name, message, Some(help));
                return;
            }
            Err(fault) => Err(fault.to_string()),
        };
        if let Err(why) = why {
            let message = format!("{key}: what {variable} holds does not fit");
            section.report_suggesting(name, message, Some(why));
        }
    }

    /// Reports a file of authorities that does not read.
    pub(super) fn authorities(&self, section: &Section<'_>, file: &Found<String>) {
        if self.environment == Environment::Same
            && let Err(why) = (self.authorities)(&file.value)
        {
            let message = format!("{} names no file of certificates", file.key);
            section.report_suggesting(file, message, Some(why));
        }
    }

    /// Reports an address that does not read.
    pub(super) fn url(&self, section: &Section<'_>, url: &Found<String>) {
        if let Err(why) = (self.url)(&url.value) {
            section.report_suggesting(url, format!("{} is no address", url.key), Some(why));
        }
    }
}
