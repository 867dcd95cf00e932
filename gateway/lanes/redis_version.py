"""Whether a Redis is new enough for what is asked of it."""

from collections.abc import Iterable
from typing import Final

OLDEST: Final = (6, 2)
"""The oldest that is tested; Valkey names the Redis that it is like."""


def is_too_old(version: str) -> bool:
    """Return whether a server that calls itself so is older than the oldest that will do."""
    return tuple(int(part) for part in version.split(".")[: len(OLDEST)]) < OLDEST


def complaint(versions: Iterable[str]) -> str | None:
    """Return what is wrong with the first server, or node of a cluster, that is too old; None if none is."""
    oldest = ".".join(map(str, OLDEST))
    too_old = next(filter(is_too_old, versions), None)
    return None if too_old is None else f"Redis {too_old} is too old: upgrade to {oldest} or newer, or Valkey"
