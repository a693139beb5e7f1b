//! Reads who sends webhooks and which sinks are told of what.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::outside::{Holds, Kinds, OutsideRules};
use crate::config::reader::{Found, Section};
use crate::config::service::address;

/// Longest name of a sender or a sink.
const NAME_CHARS_MAX: usize = 40;

/// Without rules, only the shape of the file is looked at.
type Rules<'a> = Option<&'a OutsideRules>;

/// What comes in beside gRPC.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceSettings {
    /// Where webhooks come in; `None` = nowhere.
    pub listen: Option<SocketAddr>,
    /// Largest body, bytes.
    pub body_bytes_max: usize,
    /// Most connections at a time.
    pub connections_max: usize,
    /// How far the time of a message may be from ours.
    pub tolerance: Duration,
    /// Longest time in which a body comes in.
    pub body_within: Duration,
    /// Who may send.
    pub senders: Vec<SenderSettings>,
    /// Subjects of NATS brokers that are followed.
    pub subscriptions: Vec<SubscriptionSettings>,
}

/// Subjects of a NATS broker with `JetStream` that are followed.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscriptionSettings {
    /// The name that the source is known by.
    pub name: Box<str>,
    /// Name of the environment variable that holds the broker's address.
    pub url_variable: String,
    /// The stream; whoever sends has made it.
    pub stream: String,
    /// Which of its subjects; `*` and `>` stand for any word and all that follow.
    pub subject: String,
    /// What it may tell: names of kinds.
    pub kinds: Vec<Found<String>>,
}

/// Somebody who may send webhooks.
#[derive(Clone, Debug, PartialEq)]
pub struct SenderSettings {
    /// The name in the address.
    pub name: Box<str>,
    /// Name of the environment variable that holds the secret.
    pub secret_variable: String,
    /// Name of the one that holds the secret before it; empty = there is none.
    pub previous_secret_variable: String,
    /// What it may tell: names of kinds.
    pub kinds: Vec<Found<String>>,
}

/// What goes out, and how often it is tried.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliverySettings {
    /// Tries after which a delivery is given up.
    pub tries_max: u32,
    /// Pause after the first try.
    pub first_pause: Duration,
    /// Longest pause between two tries.
    pub longest_pause: Duration,
    /// How long a try may take.
    pub within: Duration,
    /// Who is told.
    pub sinks: Vec<SinkSettings>,
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkSettings {
    /// Its name.
    pub name: Box<str>,
    /// Where it is.
    pub place: SinkPlace,
    /// What it is told: names of kinds.
    pub kinds: Vec<Found<String>>,
}

/// Where a sink is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkPlace {
    /// Behind an address that takes signed requests.
    Webhook {
        /// The address.
        url: String,
        /// File of the authorities whose certificates it may show; `None` = the machine's.
        ca_file: Option<PathBuf>,
        /// Name of the environment variable that holds the secret.
        secret_variable: String,
    },
    /// At a NATS broker with `JetStream`.
    Nats {
        /// Name of the environment variable that holds the broker's address.
        url_variable: String,
        /// Stream that keeps what is told.
        stream: String,
        /// What every subject begins with.
        subject: String,
    },
}

/// Reads the section `sources`.
pub(super) fn sources(root: &Section<'_>, rules: Rules<'_>) -> Option<SourceSettings> {
    let all = root.section("sources")?;
    let section = all.section("webhook");
    let subscriptions = named(&all, "nats", |name, it| subscription(name, it, rules));
    all.finish();
    let section = section?;
    let listen = section.any_text("listen").and_then(|found| match found.value.as_str() {
        "" => Some(None),
        _ => address(&section, &found).map(Some),
    });
    let body = section.integer("body_bytes_max", 1_024..=64 << 20);
    let connections = section.integer("connections_max", 1..=100_000);
    let tolerance = section.integer("tolerance_seconds", 1..=3_600);
    let body_ms = section.integer("body_ms", 100..=600_000);
    let senders = named(&section, "senders", |name, it| sender(name, it, rules));
    section.finish();
    Some(SourceSettings {
        listen: listen?,
        body_bytes_max: usize::try_from(body?.value).ok()?,
        connections_max: usize::try_from(connections?.value).ok()?,
        tolerance: Duration::from_secs(tolerance?.value.unsigned_abs()),
        body_within: millis(&body_ms?),
        senders: senders?,
        subscriptions: subscriptions?,
    })
}

/// Reads the section `deliveries`.
pub(super) fn deliveries(root: &Section<'_>, rules: Rules<'_>) -> Option<DeliverySettings> {
    let section = root.section("deliveries")?;
    let tries = section.integer("tries_max", 1..=1_000);
    let first = section.integer("first_pause_ms", 10..=600_000);
    let longest = section.integer("longest_pause_ms", 10..=86_400_000);
    let within = section.integer("timeout_ms", 100..=120_000);
    let sinks = named(&section, "sinks", |name, it| sink(name, it, rules));
    section.finish();
    let (first, longest) = (first?, longest?);
    if longest.value < first.value {
        let message =
            format!("{} = {} is above {} = {}", first.key, first.value, longest.key, longest.value);
        section.report_pair(message, (&first, "the first pause"), (&longest, "the longest"));
        return None;
    }
    Some(DeliverySettings {
        tries_max: u32::try_from(tries?.value).ok()?,
        first_pause: millis(&first),
        longest_pause: millis(&longest),
        within: millis(&within?),
        sinks: sinks?,
    })
}

fn sender(name: Box<str>, section: &Section<'_>, rules: Rules<'_>) -> Option<SenderSettings> {
    let secret = variable(section, "secret_variable", rules, Holds::Secret);
    let previous = if section.has("previous_secret_variable") {
        let name = section.any_text("previous_secret_variable");
        let name = name.inspect(|it| check_variable(section, it, rules, Holds::PreviousSecret));
        name.map(|it| it.value)
    } else {
        Some(String::new())
    };
    let kinds = kinds(section, rules, Kinds::Events);
    section.finish();
    Some(SenderSettings {
        name,
        secret_variable: secret?.value,
        previous_secret_variable: previous?,
        kinds: kinds?,
    })
}

fn subscription(
    name: Box<str>,
    section: &Section<'_>,
    rules: Rules<'_>,
) -> Option<SubscriptionSettings> {
    let url = variable(section, "url_variable", rules, Holds::Brokers);
    let stream = section.text("stream").and_then(|found| plain(section, found));
    let subject = section.text("subject").and_then(|found| {
        let fits = |it: char| it.is_ascii_alphanumeric() || "_-.*>".contains(it);
        if found.value.len() <= 128 && found.value.chars().all(fits) {
            return Some(found.value);
        }
        let message = format!("{} is no subject", found.key);
        section.report(&found, message, "words of letters, digits, _ and - with . between them");
        None
    });
    let kinds = kinds(section, rules, Kinds::Events);
    section.finish();
    Some(SubscriptionSettings {
        name,
        url_variable: url?.value,
        stream: stream?,
        subject: subject?,
        kinds: kinds?,
    })
}

fn sink(name: Box<str>, section: &Section<'_>, rules: Rules<'_>) -> Option<SinkSettings> {
    let place = if section.has("url") {
        let url = section.text("url").and_then(|url| checked_url(section, url, rules));
        let secret = variable(section, "secret_variable", rules, Holds::Secret);
        let ca_file = section.has("ca_file").then(|| section.text("ca_file")).flatten();
        if let (Some(file), Some(rules)) = (&ca_file, rules) {
            rules.authorities(section, file);
        }
        let place = |(url, secret): (String, Found<String>)| SinkPlace::Webhook {
            url,
            ca_file: ca_file.map(|file| file.value.into()),
            secret_variable: secret.value,
        };
        url.zip(secret).map(place)
    } else {
        let url = variable(section, "url_variable", rules, Holds::Brokers);
        let (stream, subject) = (section.text("stream"), section.text("subject"));
        let plain = |found: Option<Found<String>>| plain(section, found?);
        let (stream, subject) = (plain(stream), plain(subject));
        url.zip(stream.zip(subject)).map(|(url, (stream, subject))| SinkPlace::Nats {
            url_variable: url.value,
            stream,
            subject,
        })
    };
    let kinds = kinds(section, rules, Kinds::Notices);
    section.finish();
    Some(SinkSettings { name, place: place?, kinds: kinds? })
}

/// What is told must not pass in the clear, but for this machine.
fn checked_url(section: &Section<'_>, url: Found<String>, rules: Rules<'_>) -> Option<String> {
    let host = url.value.strip_prefix("http://").map(|rest| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        rest[..end].to_owned()
    });
    let is_here = host.is_some_and(|host| {
        let here = ["127.0.0.1", "localhost", "[::1]"];
        here.iter().any(|it| {
            host.strip_prefix(it).is_some_and(|port| port.is_empty() || port.starts_with(':'))
        }) && !host.contains('@')
    });
    if !is_here && !url.value.starts_with("https://") {
        let message = format!("{} is no https:// address", url.key);
        section.report(&url, message, "http:// is for this machine alone");
        return None;
    }
    if let Some(rules) = rules {
        rules.url(section, &url);
    }
    Some(url.value)
}

/// The name of a variable.
fn variable(
    section: &Section<'_>,
    key: &str,
    rules: Rules<'_>,
    holds: Holds,
) -> Option<Found<String>> {
    section.text(key).inspect(|name| check_variable(section, name, rules, holds))
}

fn check_variable(section: &Section<'_>, name: &Found<String>, rules: Rules<'_>, holds: Holds) {
    if let Some(rules) = rules {
        rules.variable(section, name, holds);
    }
}

fn kinds(section: &Section<'_>, rules: Rules<'_>, of: Kinds) -> Option<Vec<Found<String>>> {
    section.words("kinds").inspect(|words| {
        if let Some(rules) = rules {
            rules.kinds(section, words, of);
        }
    })
}

fn plain(section: &Section<'_>, found: Found<String>) -> Option<String> {
    let fits = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.');
    if found.value.len() <= 64 && found.value.chars().all(fits) {
        return Some(found.value);
    }
    let message = format!("{} is no name of letters, digits, _, - and .", found.key);
    section.report(&found, message, "at most 64 of them");
    None
}

/// Tables by name; there may be none.
fn named<T>(
    section: &Section<'_>,
    name: &str,
    read: impl Fn(Box<str>, &Section<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    if !section.has(name) {
        return Some(Vec::new());
    }
    let tables = section.section(name)?;
    let mut all = Vec::new();
    for found in tables.names() {
        let fits = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
        if NAME_CHARS_MAX < found.value.len() || !found.value.chars().all(fits) {
            let message = format!("{} is no name of small letters, digits and -", found.key);
            tables.report(&found, message, "at most 40 of them");
        }
        all.push(tables.section(&found.value).and_then(|it| read(found.value.into(), &it)));
    }
    tables.finish();
    all.into_iter().collect()
}

fn millis(found: &Found<i64>) -> Duration {
    Duration::from_millis(found.value.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use crate::config::EMBEDDED_SERVICE;
    use crate::config::service::parse;

    fn with(more: &str) -> Result<(usize, usize), Vec<String>> {
        let read = parse("service.toml", &format!("{EMBEDDED_SERVICE}\n{more}"));
        read.map(|it| (it.sources.senders.len(), it.deliveries.sinks.len()))
            .map_err(|it| it.mistakes.into_iter().map(|mistake| mistake.key).collect())
    }

    fn sink(url: &str) -> String {
        format!(
            "[deliveries.sinks.a]\nurl = \"{url}\"\nsecret_variable = \"S\"\nkinds = [\"alert\"]\n"
        )
    }

    #[test]
    fn nobody_sends_and_is_told_unless_named_and_every_mistake_has_its_key() {
        assert_eq!(with(""), Ok((0, 0)));
        let sender = "[sources.webhook.senders.shop-1]\nsecret_variable = \"S\"\nkinds = []\n";
        let nats = "[deliveries.sinks.bus]\nurl_variable = \"U\"\nstream = \"S\"\nsubject = \"a.b\"\nkinds = []\n";
        assert_eq!(with(&format!("{sender}{nats}")), Ok((1, 1)));
        let no_secret = sender.replace("secret_variable = \"S\"\n", "");
        let wrong = format!("{no_secret}{}", nats.replace("a.b", "a b"));
        let keys =
            ["sources.webhook.senders.shop-1.secret_variable", "deliveries.sinks.bus.subject"];
        assert_eq!(with(&wrong).unwrap_err(), keys);
        let odd = with(&sender.replace("shop-1", "\"../a\"")).unwrap_err();
        assert!(odd[0].contains("../a"), "{odd:?}");
    }

    #[test]
    fn what_is_told_passes_in_the_clear_on_this_machine_alone() {
        for good in
            ["https://a.example/x", "http://127.0.0.1:9/x", "http://localhost", "http://[::1]:1/"]
        {
            assert_eq!(with(&sink(good)), Ok((0, 1)), "{good}");
        }
        for bad in [
            "http://a.example",
            "http://localhost.a.example",
            "http://127.0.0.1@a.example",
            "http://localhost:x@a.example/",
            "ftp://localhost",
            "http://127.0.0.1.a.example",
        ] {
            assert_eq!(with(&sink(bad)).unwrap_err(), ["deliveries.sinks.a.url"], "{bad}");
        }
    }
}
