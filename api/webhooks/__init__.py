"""Events of the log to other people's servers: in order, at least once, signed (Standard Webhooks)."""
