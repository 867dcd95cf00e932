"""
What can go wrong between the gateway and Redis.

    GatewayError
    └── RedisUnavailable     Redis did not answer, or takes no writes; the call may or may not have happened
        └── ScriptFailed     Redis refused a script or a command, which another try will not change

What stands under a key is then not what is written there, as a rule: it is of another kind, or text where a
number belongs. Redis does not tell this apart from a fault of ours in a script. Whoever goes on without Redis
goes on without what it refuses, too. Only a person can help where nothing writes the key anew, so the log has
the script, the key and the way out (`redis_refused`).
"""

from gateway.errors import GatewayError


class RedisUnavailable(GatewayError):
    """Redis cannot be reached or cannot serve; Postgres still holds every message."""


class ScriptFailed(RedisUnavailable):
    """A script or command was refused; the text is Redis's own, and says what was asked of which key."""
