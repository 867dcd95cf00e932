"""Small worlds of senders, pools and routes."""

from uuid import UUID

from gateway.routing.facts import PoolFact, RouteFact, SenderFact, TenantRouting

ALL = frozenset({"otp", "transactional", "promotional"})
HOME = UUID(int=1)
AWAY = UUID(int=2)
ABROAD = UUID(int=3)
ROUTES = {
    HOME: RouteFact(account_id=HOME, region="us-east-1"),
    AWAY: RouteFact(account_id=AWAY, region="us-east-1"),
    ABROAD: RouteFact(account_id=ABROAD, region="eu-west-1"),
}


def sender(number: int, kind: str = "LONG_CODE", **changes: object) -> SenderFact:
    """Return a sender of the home account in the United States that carries everything."""
    facts = {
        "id": UUID(int=100 + number),
        "identity": UUID(int=100 + number),
        "account_id": HOME,
        "type": kind,
        "value": f"+1206555{number:04d}",
        "country": "US",
        "arn": f"arn:aws:sms-voice:us-east-1:1:phone-number/phone-{number}",
        "message_types": ALL,
        "parts_per_second": 1.0,
    }
    return SenderFact(**(facts | changes))


def world(*senders: SenderFact, **changes: object) -> TenantRouting:
    """Return a tenant without pools that has these senders."""
    facts = {
        "senders": {each.id: each for each in senders},
        "pools": (),
        "routes": ROUTES,
        "configuration_sets": {},
    }
    return TenantRouting(**(facts | changes))


def pool(number: int, *senders: SenderFact, types: frozenset[str] = ALL) -> PoolFact:
    """Return a pool with these members."""
    return PoolFact(
        id=UUID(int=200 + number), message_types=types, sender_ids=tuple(each.id for each in senders)
    )
