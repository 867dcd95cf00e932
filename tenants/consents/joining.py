"""
What a person agrees to who texts a word that opts in, such as JOIN.

A number carries message types, a consent is for one use case: the word grants the use cases of those types
that the person has been asked for or has had, but none that they left by hand. Who is new to a type agrees to
the one programme that the tenant publishes for it, or, where that is none or several, to a use case named
like the type.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.sealing import DataKey
from tenants.consents import store
from tenants.consents.models import Consent
from tenants.consents.rules import MessageType
from tenants.consents.service import NewConsent, Proof, Taken, take
from tenants.recipient_turns import take_for_person
from tenants.scope import TenantScope


class Joined(Struct, frozen=True, kw_only=True):
    """What a word said."""

    number: str
    types: tuple[MessageType, ...]
    words: str | None
    """What the person was answered, which carries the disclosures; None where others answered."""
    proof: Proof
    done: frozenset[str] = frozenset()
    """Use cases that the same word has confirmed already."""
    published: tuple[tuple[str, str], ...] = ()
    """Message type and use case of each programme on the tenant's pages."""


async def join(
    scope: TenantScope, session: AsyncSession, key: DataKey, joined: Joined, *, now: datetime
) -> list[Taken]:
    """Write the consents of a word down; one that is granted already gets its line and stays as it is."""
    person = key.recipient_hash(joined.number)
    await take_for_person(scope, session, person)
    known = await store.of_person(scope, session, person)
    taken: list[Taken] = []
    for kind in joined.types:
        for use_case in use_cases_of(kind, known, joined.published):
            if use_case not in joined.done:
                wanted = _wanted(joined, kind, use_case)
                taken.append(await take(scope, session, key, wanted, now=now, keep=True))
    return taken


def use_cases_of(
    message_type: str, known: Sequence[Consent], published: Sequence[tuple[str, str]]
) -> list[str]:
    """Return the use cases that a word grants for a message type."""
    theirs = [row.use_case for row in known if row.message_type == message_type and not _left_by_hand(row)]
    if theirs:
        return theirs
    offered = [use_case for kind, use_case in published if kind == message_type]
    return offered if len(offered) == 1 else [message_type]


def _left_by_hand(row: Consent) -> bool:
    return row.state == "withdrawn" and row.method != "keyword"


def _wanted(joined: Joined, kind: MessageType, use_case: str) -> NewConsent:
    return NewConsent(
        number=joined.number,
        use_case=use_case,
        message_type=kind,
        method="keyword",
        words=joined.words,
        proof=joined.proof,
        actor="recipient",
    )
