"""What a look at one dependency found."""

from msgspec import Struct


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that is as it must be, or not."""

    subject: str
    held: bool
    said: str
    way_out: str = ""
    """What to do; also set where something works but could be better."""


def fine(subject: str, said: str, way_out: str = "") -> Finding:
    """Return that all is well."""
    return Finding(subject=subject, held=True, said=said, way_out=way_out)


def fault(subject: str, said: str, way_out: str) -> Finding:
    """Return what is wrong and what to do."""
    return Finding(subject=subject, held=False, said=said, way_out=way_out)
