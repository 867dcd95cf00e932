"""
What can go wrong on a message's road, without a word of HTTP.

    GatewayError
    ├── ConfigurationError    a setting is missing or cannot be used; says which and how
    ├── QueueFault            SQS refused a call or did not answer
    ├── Unavailable           the truth (Postgres) could not be written; nothing was accepted
    └── Overloaded            a bounded line is full; nothing was accepted, waiting helps
"""


class GatewayError(Exception):
    """Base of every expected failure in this package."""


class ConfigurationError(GatewayError):
    """A setting is missing or unusable."""


class QueueFault(GatewayError):
    """SQS refused a call or did not answer; nothing is known to have changed."""


class Unavailable(GatewayError):
    """Nothing was stored; the same request may be tried again."""

    def __init__(self, detail: str, *, retry_after_ms: int = 1000) -> None:
        super().__init__(detail)
        self.retry_after_ms = retry_after_ms


class Overloaded(Unavailable):
    """More work waits than the process may hold."""


class BodyTooLong(GatewayError):
    """An answer's body has more bytes than it may have."""
