"""What a text means for consents: YES confirms, JOIN grants, STOP withdraws; nothing else says anything."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.clock import Clock
from gateway.inbound.listening import Heard
from tenants.accounts.sealing import DataKey
from tenants.consents import service
from tenants.consents.confirming import is_yes
from tenants.consents.joining import Joined, join
from tenants.consents.service import Proof, Taken
from tenants.countries.numbers import Number, parse_number
from tenants.ids import encode
from tenants.keywords.words import languages_of
from tenants.optouts import lists
from tenants.optouts import service as opt_outs
from tenants.pages import service as pages
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
        elif heard.action == "opt_in":
            confirmed = await _agreed(scope, session, key, heard, now)
            done = frozenset(each.consent.use_case for each in confirmed)
            if heard.agreed:
                joined = _joined(heard, done, await _published(scope, session))
                await join(scope, session, key, joined, now=now)
        elif heard.action in {None, "reply"} and _agrees(heard):
            await _agreed(scope, session, key, heard, now)


def _agrees(heard: Heard) -> bool:
    number = parse_number(heard.number)
    country = number.country if isinstance(number, Number) else None
    return isinstance(number, Number) and is_yes(heard.body, languages_of(country))


async def _agreed(
    scope: TenantScope, session: AsyncSession, key: DataKey, heard: Heard, now: datetime
) -> list[Taken]:
    """A phone that stands on the list of everything has to JOIN first: its STOP was the last clear word."""
    stands = await opt_outs.lists_of(scope, session, key.recipient_hash(heard.number))
    if lists.EVERYTHING in stands:
        return []
    return await service.confirm(scope, session, key, number=heard.number, proof=_proof(heard), now=now)


def _joined(heard: Heard, done: frozenset[str], published: tuple[tuple[str, str], ...]) -> Joined:
    return Joined(
        number=heard.number,
        types=heard.agreed,
        words=heard.answer,
        proof=_proof(heard),
        done=done,
        published=published,
    )


async def _published(scope: TenantScope, session: AsyncSession) -> tuple[tuple[str, str], ...]:
    settings = await pages.read(scope, session)
    programmes = () if settings is None else settings.programmes
    return tuple((each.type, each.use_case) for each in programmes)


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
        pending=True,
        method="keyword",
        proof=_proof(heard),
        actor="recipient",
    )


def _proof(heard: Heard) -> Proof:
    return Proof(
        evidence=encode("inb", heard.inbound_id), keyword=heard.keyword, written_to=heard.sender_value
    )
