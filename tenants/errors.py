"""
What can go wrong in the tenants' world, without a word of HTTP.

    TenantsError
    ├── InvalidId            an id that cannot be one
    ├── InvalidInput         a field breaks a rule; names the field
    ├── InvalidInputs        several fields break rules; names each
    ├── NotFound             absent, or someone else's: callers cannot tell which
    ├── Conflict             true now, may change: a name taken, a wrong state
    │   └── TooSoon          and it is known when
    ├── KeyUnwrapFailed      the operator's secret key does not open a tenant's data key
    └── SealBroken           a sealed value was changed, moved or sealed by another tenant
"""

from datetime import timedelta


class TenantsError(Exception):
    """Base of every expected failure in this package."""


class InvalidId(TenantsError):
    """The text is not an id of the wanted kind."""


class InvalidInput(TenantsError):
    """One field of an input breaks a rule."""

    def __init__(self, field: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        """JSON pointer of the field, for example `/plan/country_mps/US`."""
        self.code = code
        self.detail = detail


class InvalidInputs(TenantsError):
    """Several things are wrong with an input, to be shown at once."""

    def __init__(self, code: str, detail: str, faults: tuple[InvalidInput, ...]) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.faults = faults


class NotFound(TenantsError):
    """No such thing for this tenant; says nothing about other tenants."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"there is no such {kind}")
        self.kind = kind


class Conflict(TenantsError):
    """The request is well formed but the present state forbids it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class TooSoon(Conflict):
    """What may be done so often is used up for a while."""

    def __init__(self, code: str, detail: str, *, wait: timedelta) -> None:
        super().__init__(code, detail)
        self.wait = wait
        """Until it may be done again."""


class KeyUnwrapFailed(TenantsError):
    """A stored data key does not open with the configured TOLLGATE_SECRET_KEY."""


class SealBroken(TenantsError):
    """A sealed value does not open where it stands; never the caller's mistake."""
