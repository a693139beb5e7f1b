//! The gRPC door: services, errors and limits.
