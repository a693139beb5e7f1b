//! Makes recorded decisions again and compares them to the byte.
