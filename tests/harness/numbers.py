"""Recipients that are valid, distinct, and nobody's simulator."""

import itertools

_serial = itertools.count()
_RANGE = 100_000


def us_number() -> str:
    """Return a United States number that no test has used yet."""
    return f"+120650{next(_serial) % _RANGE:05d}"


def german_number() -> str:
    """Return a German mobile number that no test has used yet."""
    return f"+4915112{next(_serial) % _RANGE:06d}"


def indian_number() -> str:
    """Return an Indian mobile number that no test has used yet."""
    return f"+9198123{next(_serial) % _RANGE:05d}"
