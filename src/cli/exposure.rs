//! Refuses to listen where strangers could come in, or listen in.

use std::net::SocketAddr;

use miette::miette;

use crate::config::access::DoorSettings;
use crate::config::service::ServiceSettings;

/// Refuses addresses that other machines reach, unless callers must show keys and what they say
/// cannot be overheard. People who open pages sign in anyway; pages need the second alone.
///
/// # Errors
/// Says what to do about it.
pub fn refuse_open_doors(settings: &ServiceSettings) -> miette::Result<()> {
    let doors = &settings.doors;
    if !settings.listen.ip().is_loopback() && !doors.keys_required {
        return Err(miette!(
            help = "set keys_required = true in [access] of the service file and make a first key \
                    with `orderlens key add`, or listen on 127.0.0.1",
            "{} can be reached from other machines, and nobody would have to show a key",
            settings.listen
        ));
    }
    refuse_in_clear(settings.listen, doors)?;
    // Whoever sends webhooks signs them; they need the second alone, like people.
    let others = [settings.console.listen, settings.sources.listen];
    others.into_iter().flatten().try_for_each(|listen| refuse_in_clear(listen, doors))
}

fn refuse_in_clear(address: SocketAddr, doors: &DoorSettings) -> miette::Result<()> {
    if address.ip().is_loopback() || doors.tls.is_some() || doors.tls_ends_in_front {
        return Ok(());
    }
    Err(miette!(
        help = "name certificate and key in [tls] of the service file; or, when a proxy with TLS \
                stands in front and nobody can go around it, set tls_ends_in_front = true in \
                [access]; or listen on 127.0.0.1",
        "{address} can be reached from other machines, and keys and orders would pass in the clear"
    ))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::cli::settings::shipped;
    use crate::config::access::TlsFiles;

    /// What is refused, by the first word that tells it apart.
    fn refused(change: impl Fn(&mut ServiceSettings)) -> &'static str {
        let mut settings = shipped().unwrap();
        change(&mut settings);
        match refuse_open_doors(&settings) {
            Ok(()) => "nothing",
            Err(error) if error.to_string().contains("show a key") => "no keys",
            Err(error) if error.to_string().contains("in the clear") => "in the clear",
            Err(error) => panic!("{error}"),
        }
    }

    fn open(settings: &mut ServiceSettings) {
        settings.listen = SocketAddr::from(([0, 0, 0, 0], 50_051));
    }

    fn with_tls(settings: &mut ServiceSettings) {
        let (certificate, key) = (PathBuf::from("cert.pem"), PathBuf::from("key.pem"));
        settings.doors.tls = Some(TlsFiles { certificate, key, client_ca: None });
    }

    #[test]
    fn an_address_that_others_reach_needs_keys_and_tls() {
        assert_eq!(refused(|_| {}), "nothing", "the shipped file listens on this machine alone");
        assert_eq!(refused(open), "no keys");
        assert_eq!(refused(|it| it.listen = "[::]:1".parse().unwrap()), "no keys");
        assert_eq!(refused(|it| it.listen = "[::1]:1".parse().unwrap()), "nothing");
        let with_keys = |it: &mut ServiceSettings| {
            open(it);
            it.doors.keys_required = true;
        };
        assert_eq!(refused(with_keys), "in the clear");
        let with_both = |it: &mut ServiceSettings| {
            with_keys(it);
            with_tls(it);
        };
        assert_eq!(refused(with_both), "nothing");
        let without_keys = |it: &mut ServiceSettings| {
            with_both(it);
            it.doors.keys_required = false;
        };
        assert_eq!(refused(without_keys), "no keys");
        let behind = |it: &mut ServiceSettings| {
            with_keys(it);
            it.doors.tls_ends_in_front = true;
        };
        assert_eq!(refused(behind), "nothing");
        let pages = |it: &mut ServiceSettings| it.console.listen = "0.0.0.0:1".parse().ok();
        assert_eq!(refused(pages), "in the clear");
        let hooks = |it: &mut ServiceSettings| it.sources.listen = "0.0.0.0:1".parse().ok();
        assert_eq!(refused(hooks), "in the clear");
        let pages_with_tls = |it: &mut ServiceSettings| {
            pages(it);
            with_tls(it);
        };
        assert_eq!(refused(pages_with_tls), "nothing");
    }
}
