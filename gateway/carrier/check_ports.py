"""What trying an AWS account tells."""

from msgspec import Struct


class CheckStep(Struct, frozen=True, kw_only=True):
    """One thing that must work."""

    name: str
    ok: bool
    detail: str
    """One sentence; AWS's own words where it refused."""


class AccountCheck(Struct, frozen=True, kw_only=True):
    """What an account could do a moment ago."""

    ok: bool
    """Every step worked."""
    steps: tuple[CheckStep, ...]
