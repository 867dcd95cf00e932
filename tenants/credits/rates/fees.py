"""What becomes of a fee that AWS or a carrier asks for: passed on, borne, or marked up."""

from tenants.accounts.plan import FeePolicy


def sell_micros(policy: FeePolicy, *, sell: int, cost: int) -> int:
    """Return what a tenant pays of a fee, in micro-dollars."""
    match policy:
        case "pass":
            return cost
        case "absorb":
            return 0
        case "mark_up":
            return sell


def in_credits(policy: FeePolicy, credits_: int) -> int:
    """Return what a tenant pays of a fee in credits, which have one price: passed on or marked up."""
    return 0 if policy == "absorb" else credits_
