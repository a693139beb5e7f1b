//! Who and what an order touches: the nodes of the knowledge graph.
//!
//! Identifiers of people are replaced by keyed hashes at the door, so that
//! nothing behind it can leak them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::pseudonym::Rotation;

/// What kind of thing a node is. Which kinds occur is decided by the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// Who orders: a customer, member or rater.
    Account,
    /// Phone, browser or terminal used to order.
    Device,
    /// Network address.
    Ip,
    /// Where the goods go.
    Address,
    /// Phone number of buyer or recipient.
    Phone,
    /// E-mail address.
    Email,
    /// Card, wallet or bank account that pays.
    PaymentInstrument,
    /// Thing sold.
    Sku,
    /// Shop, seller or point of sale.
    Merchant,
    /// Sales region.
    Region,
    /// Sales channel.
    Channel,
}

impl EntityKind {
    /// Every kind, in catalog order.
    pub const ALL: [Self; 11] = [
        Self::Account,
        Self::Device,
        Self::Ip,
        Self::Address,
        Self::Phone,
        Self::Email,
        Self::PaymentInstrument,
        Self::Sku,
        Self::Merchant,
        Self::Region,
        Self::Channel,
    ];

    /// The name used in feature ids, mappings and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Device => "device",
            Self::Ip => "ip",
            Self::Address => "address",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::PaymentInstrument => "payment_instrument",
            Self::Sku => "sku",
            Self::Merchant => "merchant",
            Self::Region => "region",
            Self::Channel => "channel",
        }
    }

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// True when an identifier of this kind is personal data and must be hashed.
    pub fn is_personal(self) -> bool {
        match self {
            Self::Account
            | Self::Device
            | Self::Ip
            | Self::Address
            | Self::Phone
            | Self::Email
            | Self::PaymentInstrument => true,
            Self::Sku | Self::Merchant | Self::Region | Self::Channel => false,
        }
    }
}

/// Identifies an entity within its kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityKey {
    /// Keyed hash of a personal identifier; text form `h1_` + 32 hex digits.
    Hashed(u128),
    /// Hashed by two secrets while they are rotated; text form: both hashes with a `+` between.
    /// Only on the way from a door to the sequencer, which settles by which of them it goes.
    Twice(Box<Twice>),
    /// Name of something that is not a person: SKU, shop, region, channel.
    Plain(Box<str>),
}

/// Keyed hashes of one identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Twice {
    /// By the secret of now.
    pub current: u128,
    /// By the one before.
    pub previous: u128,
}

/// One node: kind and key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct EntityRef {
    /// What it is.
    pub kind: EntityKind,
    /// Which one it is.
    pub key: EntityKey,
}

/// The secret that turns personal identifiers into pseudonyms.
#[derive(Clone)]
pub struct IdentityKey {
    current: [u8; 32],
    /// The one before, while people are still known by it.
    previous: Option<[u8; 32]>,
}

/// Prefix of the text form of a hashed key; the digit is the format version.
const HASHED_PREFIX: &str = "h1_";
/// Between the hashes of an identifier that was hashed twice.
const TWICE_MARK: char = '+';

/// Text form of a hashed key, on the stack.
#[derive(Clone, Copy, Debug)]
pub struct HashText([u8; HASHED_PREFIX.len() + 32]);

impl EntityKey {
    /// Reads what anybody may write: `h1_…` is a pseudonym, anything else a plain name.
    pub fn parse(text: &str) -> Self {
        hash_in(text).map_or_else(|| Self::Plain(text.into()), Self::Hashed)
    }

    /// Its hashes: none, one or two.
    pub fn hashes(&self) -> Vec<u128> {
        match self {
            Self::Plain(_) => Vec::new(),
            Self::Hashed(hash) => vec![*hash],
            Self::Twice(twice) => vec![twice.current, twice.previous],
        }
    }

    /// Reads what a door of this service wrote, which may name two hashes of a person. Nobody
    /// else may, since that would make one person of two.
    pub fn parse_sealed(kind: EntityKind, text: &str) -> Self {
        let twice = text.split_once(TWICE_MARK).filter(|_| kind.is_personal());
        let twice = twice.and_then(|(current, previous)| {
            Some(Twice { current: hash_in(current)?, previous: hash_in(previous)? })
        });
        twice.map_or_else(|| Self::parse(text), |twice| Self::Twice(Box::new(twice)))
    }
}

fn hash_in(text: &str) -> Option<u128> {
    let hex = text.strip_prefix(HASHED_PREFIX).filter(|hex| hex.len() == 32)?;
    u128::from_str_radix(hex, 16).ok()
}

impl HashText {
    /// Of a pseudonym.
    pub fn new(hash: u128) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; HASHED_PREFIX.len() + 32];
        let (prefix, digits) = text.split_at_mut(HASHED_PREFIX.len());
        prefix.copy_from_slice(HASHED_PREFIX.as_bytes());
        for (digit, shift) in digits.iter_mut().zip((0..128).step_by(4).rev()) {
            *digit = DIGITS[(hash >> shift & 15) as usize];
        }
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // ASCII alone was written.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl EntityRef {
    /// A pseudonymous label for people: `account#3f9a12` or `sku:LIM-001`.
    pub fn label(&self) -> String {
        match &self.key {
            EntityKey::Hashed(hash) => format!("{}#{:06x}", self.kind.as_str(), hash >> 104),
            EntityKey::Twice(twice) => {
                format!("{}#{:06x}", self.kind.as_str(), twice.current >> 104)
            }
            EntityKey::Plain(name) => format!("{}:{name}", self.kind.as_str()),
        }
    }
}

impl IdentityKey {
    /// Derives the key from a secret of any length.
    pub fn from_secret(secret: &[u8]) -> Self {
        let current = blake3::derive_key("orderlens 2026 entity identity v1", secret);
        Self { current, previous: None }
    }

    /// The same key while people are still known by an earlier one.
    #[must_use]
    pub fn rotated_from(self, previous: &Self) -> Self {
        Self { previous: Some(previous.current), ..self }
    }

    /// Tells this key from others and nothing about the secret, 16 hex digits.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.current)
    }

    /// The rotation that is going on, if one is.
    pub fn rotation(&self) -> Option<Rotation> {
        let previous = fingerprint(self.previous.as_ref()?).into();
        Some(Rotation { current: self.fingerprint().into(), previous })
    }

    /// The node for a raw identifier: hashed when the kind is personal.
    ///
    /// A text that already is a pseudonym (`h1_…`) stays as it is, so that an
    /// imported stream can be sent again.
    pub fn entity(&self, kind: EntityKind, raw: &str) -> EntityRef {
        let key = match EntityKey::parse(raw) {
            EntityKey::Plain(name) if kind.is_personal() => self.pseudonym(kind, &name),
            key @ (EntityKey::Plain(_) | EntityKey::Hashed(_) | EntityKey::Twice(_)) => key,
        };
        EntityRef { kind, key }
    }

    /// The same node with its identifier hashed, if it has to be and is not yet.
    pub fn seal(&self, entity: EntityRef) -> EntityRef {
        match entity.key {
            EntityKey::Plain(name) if entity.kind.is_personal() => {
                EntityRef { kind: entity.kind, key: self.pseudonym(entity.kind, &name) }
            }
            EntityKey::Plain(_) | EntityKey::Hashed(_) => entity,
            // A file is nobody's door: what it says of an earlier secret does not count.
            EntityKey::Twice(twice) => {
                EntityRef { kind: entity.kind, key: EntityKey::Hashed(twice.current) }
            }
        }
    }

    fn pseudonym(&self, kind: EntityKind, raw: &str) -> EntityKey {
        let current = hashed(&self.current, kind, raw);
        match &self.previous {
            None => EntityKey::Hashed(current),
            Some(key) => {
                let previous = hashed(key, kind, raw);
                EntityKey::Twice(Box::new(Twice { current, previous }))
            }
        }
    }
}

fn fingerprint(key: &[u8; 32]) -> String {
    let key = blake3::derive_key("orderlens 2026 identity fingerprint v1", key);
    blake3::Hash::from_bytes(key).to_hex()[..16].to_owned()
}

fn hashed(key: &[u8; 32], kind: EntityKind, raw: &str) -> u128 {
    let mut hasher = blake3::Hasher::new_keyed(key);
    // The kind is part of the hash: equal texts of two kinds must not be linked.
    hasher.update(kind.as_str().as_bytes());
    hasher.update(&[0]);
    hasher.update(raw.as_bytes());
    let mut bytes = [0_u8; 16];
    hasher.finalize_xof().fill(&mut bytes);
    u128::from_be_bytes(bytes)
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityKey(***)")
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hashed(hash) => f.write_str(HashText::new(*hash).as_str()),
            Self::Twice(twice) => {
                f.write_str(HashText::new(twice.current).as_str())?;
                write!(f, "{TWICE_MARK}{}", HashText::new(twice.previous).as_str())
            }
            Self::Plain(name) => f.write_str(name),
        }
    }
}

impl Serialize for EntityKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An entity as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEntity {
    kind: EntityKind,
    key: Box<str>,
}

impl<'de> Deserialize<'de> for EntityRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let WrittenEntity { kind, key } = WrittenEntity::deserialize(deserializer)?;
        Ok(Self { kind, key: EntityKey::parse_sealed(kind, &key) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_personal_identifier_never_survives_the_door() {
        let key = IdentityKey::from_secret(b"test");
        let entity = key.entity(EntityKind::Phone, "+8613800138000");
        assert!(!format!("{entity:?} {} {}", entity.key, entity.label()).contains("138"));
        assert_eq!(format!("{key:?}"), "IdentityKey(***)");
    }

    #[test]
    fn a_pseudonym_passes_the_door_unchanged_and_kinds_do_not_mix() {
        let key = IdentityKey::from_secret(b"test");
        let once = key.entity(EntityKind::Account, "u1");
        assert_eq!(key.entity(EntityKind::Account, &once.key.to_string()), once);
        assert_ne!(key.entity(EntityKind::Device, "u1").key, once.key);
        assert_ne!(IdentityKey::from_secret(b"x").entity(EntityKind::Account, "u1"), once);
    }

    #[test]
    fn two_secrets_seal_as_each_alone_and_nobody_outside_can_name_two_hashes() {
        let [old, new] = [b"old", b"new"].map(|secret| IdentityKey::from_secret(secret));
        let both = new.clone().rotated_from(&old);
        let sealed = both.entity(EntityKind::Account, "u1");
        let EntityKey::Twice(twice) = &sealed.key else { panic!("{sealed:?}") };
        let alone = |key: &IdentityKey| key.entity(EntityKind::Account, "u1").key;
        assert_eq!(EntityKey::Hashed(twice.current), alone(&new));
        assert_eq!(EntityKey::Hashed(twice.previous), alone(&old));
        let text = sealed.key.to_string();
        assert_eq!(EntityKey::parse_sealed(EntityKind::Account, &text), sealed.key);
        let thing = new.entity(EntityKind::Sku, &text);
        assert_eq!(EntityKey::parse_sealed(EntityKind::Sku, &thing.key.to_string()), thing.key);
        for entity in [&sealed, &thing] {
            let json = serde_json::to_string(entity).unwrap();
            assert_eq!(serde_json::from_str::<EntityRef>(&json).unwrap(), *entity);
        }

        let forged = sealed.key.to_string();
        assert!(matches!(EntityKey::parse(&forged), EntityKey::Plain(_)));
        let at_door = both.entity(EntityKind::Account, &forged);
        assert_ne!(at_door.key, sealed.key);
        assert_eq!(new.entity(EntityKind::Account, &forged).key, new.seal(at_door).key);
        assert_eq!(new.seal(sealed).key, alone(&new));
        assert_eq!(both.rotation().map(|it| it.previous), Some(old.fingerprint().into()));
        assert_eq!(new.rotation(), None);
    }
}
