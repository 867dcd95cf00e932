"""
Where a server listens and what opens it.

Both are drawn once per data folder and kept beside the data, so that clients holding a URL find the server
again after a restart.
"""

import secrets
import socket

import msgspec

LOOPBACK = "127.0.0.1"

PORTS = range(12_000, 22_000)
"""
Below every system's ephemeral range: no outgoing connection takes a port while its server is away, and no
client that keeps reconnecting ends up connected to itself. So is Redis Cluster's bus, 10,000 higher.
"""

TRIES = 200


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A port on loopback and a password."""

    port: int
    password: str


def new_password() -> str:
    """Return 192 random bits in hexadecimal, which needs no quoting in URLs or configuration files."""
    return secrets.token_hex(24)


def free_port(offsets: tuple[int, ...]) -> int:
    """Return a port that is free now, and free at every offset from it."""
    for _ in range(TRIES):
        port = secrets.choice(PORTS)
        if is_free(port, offsets):
            return port
    raise OSError(f"no free port found on {LOOPBACK} in {TRIES} tries")


def is_free(port: int, offsets: tuple[int, ...]) -> bool:
    """Say whether a server could listen now on the port at every offset."""
    return all(_can_listen(port + offset) for offset in offsets)


def _can_listen(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
