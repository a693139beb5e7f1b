//! Protobuf messages and their conversions to and from the domain.
