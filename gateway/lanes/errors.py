"""
What can go wrong between the gateway and Redis.

    GatewayError
    ├── RedisUnavailable    Redis did not answer, or takes no writes; the call may or may not have happened
    └── ScriptFailed        Redis refused a script or a command: a fault of ours, never of the moment
"""

from gateway.errors import GatewayError


class RedisUnavailable(GatewayError):
    """Redis cannot be reached or cannot serve; Postgres still holds every message."""


class ScriptFailed(GatewayError):
    """A script or command was wrong; the text is Redis's own."""
