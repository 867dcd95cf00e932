"""
One text that came in, in one transaction: known once, found its tenant, stored sealed, obeyed, told.

Texts of one person to one tenant are taken one after another, so that two STOPs make one confirmation.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.inbound.listening import Heard, Listener
from gateway.inbound.obeying import Obeyed, Situation, obey
from gateway.inbound.owners import (
    Owner,
    Previous,
    chosen,
    is_of_erased,
    last_to,
    owners_of,
    previous_of,
)
from gateway.messages.inbound import (
    InboundMessage,
    InboundReply,
    person_context,
    reply_context,
    text_context,
)
from gateway.messages.keys import DataKeys
from gateway.receipts.event import InboundText
from gateway.webhooks.announcements import announce
from tenants.accounts.sealing import DataKey
from tenants.countries.numbers import Number, parse_number
from tenants.ids import created_at, encode, new_uuid
from tenants.keywords import service as keywords
from tenants.keywords import texts
from tenants.keywords.matching import Match, matched
from tenants.keywords.service import Vocabulary
from tenants.keywords.texts import filled
from tenants.keywords.words import BUILT_IN, BuiltIn, languages_of
from tenants.optouts import service as opt_outs
from tenants.optouts import store as opt_out_store
from tenants.optouts.service import Change, Origin, Source
from tenants.recipient_turns import taken_for_person
from tenants.scope import TenantScope

REPLY_LIFE: Final = timedelta(minutes=15)
"""A reply that could not be sent by then would come out of the blue."""
_FIRST: Final = text(
    """
    INSERT INTO inbound_seen (provider_message_id) VALUES (:provider_id)
    ON CONFLICT DO NOTHING RETURNING provider_message_id
    """
)
_REPLIES: Final = text(
    """
    SELECT max(reply_at) AS last, count(*) FILTER (WHERE reply_at > :hour_ago) AS this_hour
    FROM inbound_messages
    WHERE tenant_id = :tenant_id AND recipient_hash = :person AND reply IN ('due', 'sent')
        AND created_at > :day_ago
    """
)
_OWN_NUMBER: Final = text(
    """
    SELECT EXISTS (
        SELECT FROM senders WHERE tenant_id = :tenant_id AND value = :value AND state <> 'released')
    """
)
_KINDS: Final[dict[str, BuiltIn]] = {"stop": "STOP", "help": "HELP", "join": "JOIN"}


class Taken(Struct, frozen=True, kw_only=True, tag="taken"):
    """Stored; admission is to hear of the changes after the commit."""

    tenant_id: UUID
    inbound_id: UUID
    changes: tuple[Change, ...]
    action: str | None
    reply: str


class Repeated(Struct, frozen=True, tag="repeated"):
    """A copy of a text that was taken in before; nothing was done."""


class NobodysNumber(Struct, frozen=True, tag="no_such_number"):
    """No tenant has the number, or several and no conversation says whose it is; nothing was done."""


class ErasedTenant(Struct, frozen=True, tag="tenant_erased"):
    """The number's tenant was erased, so nothing that a person writes to it may be kept; nothing was done."""


class FileUnderWay(Struct, frozen=True, tag="file_under_way"):
    """A file of the tenant's opt-outs or consents is being taken; nothing was done, the text has to wait."""


Outcome = Taken | Repeated | NobodysNumber | ErasedTenant | FileUnderWay


class _OptOutTold(Struct, frozen=True, kw_only=True):
    list: str
    source: str
    change: str


class _InboundTold(Struct, frozen=True, kw_only=True):
    id: str


class Taking:
    """Takes texts in; needs the worker's transactions."""

    def __init__(self, keys: DataKeys, *, listeners: tuple[Listener, ...] = ()) -> None:
        self._keys = keys
        self._listeners = listeners

    async def take_in(
        self, session: AsyncSession, event: InboundText, *, now: datetime, published_by: UUID | None = None
    ) -> Outcome:
        """
        Do all that a text asks for, in the caller's transaction.

        Args:
            published_by: The tenant in whose own AWS account it was published: it is of that tenant's number,
                or of nobody's. None for the operator's accounts.
        """
        person = parse_number(event.origination)
        country = person.country if isinstance(person, Number) else None
        previous = await previous_of(session, event.previous_provider_message_id)
        owners = await owners_of(session, event.destination, published_by=published_by)
        owner = chosen(owners, country=country, previous=previous)
        if owner is None and owners:
            owner = chosen(owners, country=country, previous=await self._last_to(session, event, owners))
        if owner is None:
            return ErasedTenant() if await is_of_erased(session, event.destination) else NobodysNumber()
        key, scope = await self._keys.of(owner.tenant_id), TenantScope(tenant_id=owner.tenant_id)
        person_hash = key.recipient_hash(event.origination)
        if not await taken_for_person(scope, session, person_hash):
            return FileUnderWay()
        if (await session.execute(_FIRST, {"provider_id": event.inbound_message_id})).first() is None:
            return Repeated()
        text_ = _Text(
            scope=scope,
            owner=owner,
            event=event,
            key=key,
            country=country,
            is_phone=isinstance(person, Number),
            person=person_hash,
            previous=previous,
            now=now,
        )
        return await self._obeyed(session, text_)

    async def _last_to(
        self, session: AsyncSession, event: InboundText, owners: Sequence[Owner]
    ) -> Previous | None:
        """Ask our own records who wrote last: AWS names none, or a reply that it has sent by itself."""
        tenants = list({each.tenant_id for each in owners})
        keys = await asyncio.gather(*(self._keys.of(each) for each in tenants))
        persons = {
            tenant: key.recipient_hash(event.origination) for tenant, key in zip(tenants, keys, strict=True)
        }
        return await last_to(session, event.destination, persons)

    async def _obeyed(self, session: AsyncSession, text_: "_Text") -> Taken:
        scope = text_.scope
        vocabulary = await keywords.vocabulary(scope, session)
        match = matched(
            text_.event.body,
            languages=languages_of(text_.country, text_.owner.country),
            country=text_.country,
            own=vocabulary.own,
        )
        situation = await _situation(session, text_, match, vocabulary)
        verdict = obey(situation)
        row = _row(text_, match, verdict)
        session.add(row)
        await session.flush()
        changes = await _change(session, text_, verdict, row.id) if text_.is_phone else ()
        answer = None if verdict.reply is None else _answer(verdict, match, vocabulary, text_)
        if answer is not None:
            session.add(_order(text_, row.id, verdict, answer))
        await announce(scope, session, "inbound.received", _InboundTold(id=encode("inb", row.id)))
        heard = Heard(
            inbound_id=row.id,
            number=text_.event.origination,
            body=text_.event.body,
            action=verdict.action,
            keyword=row.keyword,
            agreed=verdict.agreed,
            answer=answer,
            sender_value=text_.owner.value,
            previous_message_id=row.previous_message_id,
        )
        for listener in self._listeners:
            await listener(scope, session, text_.key, heard)
        return Taken(
            tenant_id=scope.tenant_id,
            inbound_id=row.id,
            changes=changes,
            action=verdict.action,
            reply=verdict.answerer,
        )


class _Text(Struct, frozen=True, kw_only=True):
    """A text with what is known of both sides."""

    scope: TenantScope
    owner: Owner
    event: InboundText
    key: DataKey
    country: str | None
    is_phone: bool
    person: bytes
    previous: Previous | None
    now: datetime


async def _situation(
    session: AsyncSession, text_: _Text, match: Match | None, vocabulary: Vocabulary
) -> Situation:
    scope, now = text_.scope, text_.now
    asked = {
        "tenant_id": scope.tenant_id,
        "person": text_.person,
        "hour_ago": now - timedelta(hours=1),
        "day_ago": now - timedelta(days=1),
    }
    replies = (await session.execute(_REPLIES, asked)).one()
    own_number = {"tenant_id": scope.tenant_id, "value": text_.event.origination}
    is_ours = (await session.execute(_OWN_NUMBER, own_number)).scalar_one()
    return Situation(
        match=match,
        body=text_.event.body,
        mode=text_.owner.mode,
        stop_scope=text_.owner.stop_scope,
        message_types=text_.owner.message_types,
        standing=await opt_out_store.sources_of(scope, session, text_.person),
        answerable=text_.is_phone and not is_ours,
        our_texts=_our_texts(vocabulary),
        last_reply_at=replies.last,
        replies_this_hour=replies.this_hour,
        now=now,
    )


def _our_texts(vocabulary: Vocabulary) -> list[str]:
    built_in = [texts.chosen(word, None, vocabulary.texts) for word in BUILT_IN]
    own = [each.reply for each in vocabulary.own if each.reply is not None]
    return [filled(each, vocabulary.brand) for each in (*built_in, *vocabulary.texts.values(), *own)]


def _row(text_: _Text, match: Match | None, verdict: Obeyed) -> InboundMessage:
    inbound_id = new_uuid()
    event, previous = text_.event, text_.previous
    is_theirs = previous is not None and previous.tenant_id == text_.scope.tenant_id
    return InboundMessage(
        tenant_id=text_.scope.tenant_id,
        id=inbound_id,
        created_at=created_at(inbound_id),
        provider_message_id=event.inbound_message_id,
        sender_id=text_.owner.sender_id,
        sender_value=text_.owner.value,
        country=text_.country,
        recipient_hash=text_.person,
        from_sealed=text_.key.seal(event.origination.encode(), context=person_context(inbound_id)),
        body_sealed=text_.key.seal(event.body.encode(), context=text_context(inbound_id)),
        keyword=None if match is None else match.word,
        action=verdict.action,
        lists=[*verdict.put, *verdict.take],
        previous_message_id=previous.message_id if previous is not None and is_theirs else None,
        reply=verdict.answerer,
        reply_detail=verdict.detail,
        reply_at=verdict.reply_at,
    )


async def _change(
    session: AsyncSession, text_: _Text, verdict: Obeyed, inbound_id: UUID
) -> tuple[Change, ...]:
    """Move the person between lists, with a line in the ledger and an event for each."""
    source: Source = "carrier" if verdict.by_network else "keyword"
    origin = Origin(source=source, actor="recipient", inbound_id=inbound_id)
    changes: list[Change] = []
    for act, names in ((opt_outs.put, verdict.put), (opt_outs.remove, verdict.take)):
        for name in names:
            change = await act(
                text_.scope,
                session,
                text_.key,
                number=text_.event.origination,
                list_name=name,
                origin=origin,
            )
            changes.append(change)
            await tell_opt_out(text_.scope, session, change, source)
    return tuple(changes)


async def tell_opt_out(scope: TenantScope, session: AsyncSession, change: Change, source: Source) -> None:
    """Tell a tenant's endpoints of a change that is news."""
    if change.change_id is None:
        return
    told = _OptOutTold(list=change.list_name, source=source, change=encode("ooc", change.change_id))
    await announce(scope, session, "opt_out.created" if change.listed else "opt_out.removed", told)


def _answer(verdict: Obeyed, match: Match | None, vocabulary: Vocabulary, text_: _Text) -> str:
    """Return the words of a reply, in the language that the person wrote or most likely reads."""
    if match is not None and match.own is not None and match.own.reply is not None:
        return filled(match.own.reply, vocabulary.brand)
    language = None if match is None else match.language
    if language in {None, "en"}:
        language = languages_of(text_.country)[0]
    kind = _KINDS[verdict.reply or "help"]
    return filled(texts.chosen(kind, language, vocabulary.texts), vocabulary.brand)


def _order(text_: _Text, inbound_id: UUID, verdict: Obeyed, words: str) -> InboundReply:
    due_at: Any = verdict.reply_at
    return InboundReply(
        tenant_id=text_.scope.tenant_id,
        inbound_id=inbound_id,
        kind=verdict.reply,
        lists=list(verdict.put),
        text_sealed=text_.key.seal(words.encode(), context=reply_context(inbound_id)),
        due_at=due_at,
        closes_at=due_at + REPLY_LIFE,
    )
