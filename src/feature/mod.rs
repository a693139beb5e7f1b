//! The feature catalog and its point-in-time extraction from graph and order.
