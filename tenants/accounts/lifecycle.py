"""From which state a tenant may go where. Pure; the states are also a CHECK of the table."""

from typing import Final, Literal

from tenants.errors import Conflict

TenantState = Literal["active", "suspended", "closed"]

MOVES: Final[dict[TenantState, frozenset[TenantState]]] = {
    "active": frozenset({"active", "suspended", "closed"}),
    "suspended": frozenset({"suspended", "active", "closed"}),
    "closed": frozenset({"closed"}),
}
"""Staying is always a move, so that a repeated command is no error. A closed tenant stays closed."""


def check_move(present: str, wanted: TenantState) -> None:
    """
    Accept a move of the table.

    Raises:
        Conflict: The present state does not lead there.
    """
    allowed = {state for state, reachable in MOVES.items() if wanted in reachable}
    if present not in allowed:
        raise Conflict("tenant_closed", f"a {present} tenant cannot become {wanted}")
