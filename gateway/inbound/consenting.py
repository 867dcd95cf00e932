"""What a text means for consents: YES confirms, STOP withdraws; anything else says nothing."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.clock import Clock
from gateway.inbound.listening import Heard
from tenants.accounts.sealing import DataKey
from tenants.consents import service
from tenants.consents.confirming import is_yes
from tenants.consents.service import Proof
from tenants.countries.numbers import Number, parse_number
from tenants.ids import encode
from tenants.keywords.words import languages_of
from tenants.optouts import lists
from tenants.optouts import service as opt_outs
from tenants.scope import TenantScope

_TYPES = ("otp", "transactional", "promotional")


class Consenting:
    """A listener of texts; what it writes is committed with the text."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, scope: TenantScope, session: AsyncSession, key: DataKey, heard: Heard) -> None:
        """Confirm or withdraw; the person's lock is held already, so a STOP and a YES follow each other."""
        now = self._clock.now()
        if heard.action == "opt_out":
            await _stopped(scope, session, key, heard, now)
        elif heard.action == "opt_in" or (heard.action in {None, "reply"} and _agrees(heard)):
            await _agreed(scope, session, key, heard, now)


def _agrees(heard: Heard) -> bool:
    number = parse_number(heard.number)
    country = number.country if isinstance(number, Number) else None
    return isinstance(number, Number) and is_yes(heard.body, languages_of(country))


async def _agreed(
    scope: TenantScope, session: AsyncSession, key: DataKey, heard: Heard, now: datetime
) -> None:
    """A phone that stands on the list of everything has to JOIN first: its STOP was the last clear word."""
    stands = await opt_outs.lists_of(scope, session, key.recipient_hash(heard.number))
    if lists.EVERYTHING not in stands:
        await service.confirm(scope, session, key, number=heard.number, proof=_proof(heard), now=now)


async def _stopped(
    scope: TenantScope, session: AsyncSession, key: DataKey, heard: Heard, now: datetime
) -> None:
    """Withdraw what the lists on which the person stands now forbid, and whatever was not confirmed yet."""
    stands = await opt_outs.lists_of(scope, session, key.recipient_hash(heard.number))
    types = frozenset(each for each in _TYPES if lists.stops(stands, each))
    await service.withdraw(
        scope,
        session,
        key,
        number=heard.number,
        now=now,
        types=types,
        method="keyword",
        proof=_proof(heard),
        actor="recipient",
    )


def _proof(heard: Heard) -> Proof:
    return Proof(evidence=encode("inb", heard.inbound_id))
