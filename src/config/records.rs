//! Reads where the records are, and how they follow the journal.

use std::time::Duration;

use crate::config::reader::{Found, Section};
use crate::config::secret::{SecretFault, secret_text};
use crate::store::records::RecordsPlace;
use crate::store::records::postgres_url::{PostgresUrl, UrlFault};

/// Where the records are, and their pace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordsSettings {
    /// Which database has them, unless the environment says another one.
    pub place: RecordsPlace,
    /// Environment variable that may hold the address of a database; empty = none is read.
    pub url_variable: String,
    /// Pause between two looks into the journal.
    pub pause: Duration,
    /// Most journal records of one transaction.
    pub batch_max: usize,
}

/// Why the environment says no database; what it holds is not told.
#[derive(Debug, thiserror::Error)]
pub enum UrlVariableFault {
    /// It is no address.
    #[error("the environment variable {variable} holds no address of a database: {why}")]
    Address {
        /// Which one.
        variable: String,
        /// Why not.
        why: UrlFault,
    },
    /// It is in a file that does not read.
    #[error(transparent)]
    File(#[from] SecretFault),
}

impl RecordsSettings {
    /// Which database has the records: what the environment variable says, else the file.
    ///
    /// # Errors
    /// [`UrlVariableFault`] when the variable is set and does not read.
    pub fn chosen_place(&self) -> Result<RecordsPlace, UrlVariableFault> {
        self.place_by(secret_text(&self.url_variable)?.as_deref())
    }

    fn place_by(&self, value: Option<&str>) -> Result<RecordsPlace, UrlVariableFault> {
        match value {
            None | Some("") => Ok(self.place.clone()),
            Some(url) => PostgresUrl::parse(url).map(RecordsPlace::Postgres).map_err(|why| {
                UrlVariableFault::Address { variable: self.url_variable.clone(), why }
            }),
        }
    }
}

/// The section `[records]`.
pub(super) fn records(section: &Section<'_>) -> Option<RecordsSettings> {
    let place = section.any_text("url").and_then(|found| place(section, &found));
    let url_variable = section.text("url_variable");
    let pause = section.integer("pause_ms", 1..=60_000);
    let batch_max = section.integer("batch_max", 1..=100_000);
    section.finish();
    Some(RecordsSettings {
        place: place?,
        url_variable: url_variable?.value,
        pause: Duration::from_millis(pause?.value.unsigned_abs()),
        batch_max: usize::try_from(batch_max?.value).ok()?,
    })
}

fn place(section: &Section<'_>, found: &Found<String>) -> Option<RecordsPlace> {
    if found.value.is_empty() {
        return Some(RecordsPlace::Embedded);
    }
    // The value is not repeated: it may hold a password.
    let fault = match PostgresUrl::parse(&found.value) {
        Ok(url) if url.has_password() => "must not hold a password".to_owned(),
        Ok(url) => return Some(RecordsPlace::Postgres(url)),
        Err(why) => format!("is no address of a database: {why}"),
    };
    let suggestion = "put the whole address into the environment variable of `url_variable`";
    section.report_suggesting(found, format!("{} {fault}", found.key), Some(suggestion.to_owned()));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(place: RecordsPlace) -> RecordsSettings {
        let url_variable = "RECORDS_URL".to_owned();
        RecordsSettings { place, url_variable, pause: Duration::ZERO, batch_max: 1 }
    }

    #[test]
    fn the_environment_goes_before_the_file_and_is_never_repeated() {
        let of = |url: &str| RecordsPlace::Postgres(PostgresUrl::parse(url).unwrap());
        let in_file = settings(of("postgres://ann@db/x"));
        assert_eq!(in_file.place_by(None).unwrap(), of("postgres://ann@db/x"));
        assert_eq!(in_file.place_by(Some("")).unwrap(), of("postgres://ann@db/x"));
        let other = "postgres://ann:h4rd@other/x";
        assert_eq!(in_file.place_by(Some(other)).unwrap(), of(other));
        assert!(!format!("{:?}", in_file.place_by(Some(other))).contains("h4rd"));
        let fault = settings(RecordsPlace::Embedded).place_by(Some("h4rd:postgres")).unwrap_err();
        assert!(fault.to_string().contains("RECORDS_URL") && !fault.to_string().contains("h4rd"));
    }

    #[test]
    fn a_file_names_no_password() {
        let read = |url: &str| {
            let toml = crate::config::EMBEDDED_SERVICE.replacen(
                "\nurl = \"\"",
                &format!("\nurl = \"{url}\""),
                1,
            );
            crate::config::service::parse("service.toml", &toml)
        };
        assert_eq!(read("").unwrap().records.place, RecordsPlace::Embedded);
        let url = "postgres://ann@db/x";
        let expected = RecordsPlace::Postgres(PostgresUrl::parse(url).unwrap());
        assert_eq!(read(url).unwrap().records.place, expected);
        let mistakes = read("postgres://ann:h4rd@db/x").unwrap_err().mistakes;
        assert_eq!(mistakes.len(), 1);
        assert_eq!(mistakes[0].message, "records.url must not hold a password");
        assert_eq!(read("sqlite://x").unwrap_err().mistakes.len(), 1);
    }
}
