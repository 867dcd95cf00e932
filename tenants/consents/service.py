"""
Taking consents down, confirming and withdrawing them.

Each event is a line that nobody can change; where a person stands follows from the lines. The number, and
whatever proves a consent, are sealed with the tenant's key: forgetting the key erases them all, and leaves
lines that name nobody.
"""

from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.sealing import DataKey
from tenants.audit import store as audit
from tenants.consents import store
from tenants.consents.models import Consent, ConsentRecord
from tenants.consents.rules import (
    AFTER,
    CONFIRM_WITHIN,
    Event,
    MessageType,
    Method,
    check_given_at,
    check_use_case,
    lapsed,
)
from tenants.errors import NotFound
from tenants.ids import encode, new_uuid
from tenants.recipient_turns import take_for_person
from tenants.scope import TenantScope

PREFIX: Final = "con"


class Proof(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What shows that a consent was given; sealed, for it names people."""

    ip: str | None = None
    signer: str | None = None
    evidence: str | None = None
    """Where the tenant keeps the paper, the recording or the row: its own reference."""
    keyword: str | None = None
    """The word that the person texted."""
    written_to: str | None = None
    """The number or short code to which the person texted it."""


class NewConsent(Struct, frozen=True, kw_only=True):
    """A consent as it is told."""

    number: str
    use_case: str
    message_type: MessageType
    method: Method
    words: str | None = None
    """Exactly what the person read or heard."""
    given_at: datetime | None = None
    """None for now."""
    proof: Proof = Proof()
    actor: str | None = None
    """`recipient`; None for who makes the request."""


class Taken(Struct, frozen=True, kw_only=True):
    """What an event did."""

    consent: "ConsentView"
    changed: bool
    """Whether the state is another one than before."""


class ConsentView(Struct, frozen=True, kw_only=True):
    """Where a person stands with a use case, with the number opened."""

    id: UUID
    number: str
    recipient_hash: bytes
    use_case: str
    message_type: str
    state: str
    """`pending`, `granted`, `withdrawn`, or `expired`: not confirmed in time."""
    method: str
    text_hash: bytes | None
    since: datetime
    closes_at: datetime | None


class RecordView(Struct, frozen=True, kw_only=True):
    """A line of the ledger, opened."""

    id: UUID
    number: str
    use_case: str
    message_type: str
    event: str
    method: str
    text_hash: bytes | None
    proof: Proof
    actor: str
    given_at: datetime
    at: datetime


async def take(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    wanted: NewConsent,
    *,
    now: datetime,
    double_opt_in: bool = False,
    keep: bool = False,
) -> Taken:
    """
    Write a consent down; with `double_opt_in` it stays pending until the phone itself agrees.

    One that is granted already is not made pending again: the line is written, the state stays, as it does
    with `keep` too, so that where a person stands goes on naming how the consent was first given. It stays,
    too, where the person has withdrawn since the consent was given: last month's file takes no word back.

    Raises:
        InvalidInput: The use case or the date breaks a rule.
    """
    recipient_hash = key.recipient_hash(wanted.number)
    await take_for_person(scope, session, recipient_hash)
    before = await store.get(scope, session, recipient_hash, check_use_case(wanted.use_case))
    event: Event = "asked" if double_opt_in else "granted"
    kept = before is not None and (
        ((double_opt_in or keep) and before.state == "granted")
        or (event == "granted" and _is_withdrawn_since(before, wanted.given_at))
    )
    return await _noted(scope, session, key, wanted, before, event=event, now=now, kept=kept)


async def confirm(
    scope: TenantScope, session: AsyncSession, key: DataKey, *, number: str, proof: Proof, now: datetime
) -> list[Taken]:
    """Confirm all that the person was asked and that has not lapsed; the phone itself has answered."""
    return await _move(scope, session, key, number=number, event="confirmed", proof=proof, now=now)


async def withdraw(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    *,
    number: str,
    now: datetime,
    use_cases: frozenset[str] | None = None,
    types: frozenset[str] | None = None,
    pending: bool = False,
    method: Method = "api",
    proof: Proof | None = None,
    actor: str | None = None,
) -> list[Taken]:
    """
    End what is granted or pending: of the use cases named, of the message types named, or of all.

    Args:
        pending: Also end all that is pending, whatever is named.
    """
    said = proof or Proof()
    return await _move(
        scope,
        session,
        key,
        number=number,
        event="withdrawn",
        proof=said,
        now=now,
        use_cases=use_cases,
        types=types,
        pending=pending,
        method=method,
        actor=actor,
    )


async def of_number(
    scope: TenantScope, session: AsyncSession, key: DataKey, number: str, *, now: datetime
) -> list[ConsentView]:
    """Return where a number stands with every use case."""
    rows = await store.of_person(scope, session, key.recipient_hash(number))
    return [view(row, key, now) for row in rows]


async def page(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    *,
    limit: int,
    now: datetime,
    after: tuple[bytes, str] | None = None,
    use_case: str | None = None,
    state: str | None = None,
) -> list[ConsentView]:
    """Return up to `limit` consents, in an order that is stable and means nothing."""
    rows = await store.page(scope, session, limit=limit, after=after, use_case=use_case, state=state)
    return [view(row, key, now) for row in rows]


async def history(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    *,
    limit: int,
    after: UUID | None = None,
    number: str | None = None,
) -> list[RecordView]:
    """Return up to `limit` lines of the ledger, the oldest first, of one number or of all."""
    person = None if number is None else key.recipient_hash(number)
    rows = await store.records(scope, session, limit=limit, after=after, recipient_hash=person)
    return [_record_view(row, key) for row in rows]


async def words_of(scope: TenantScope, session: AsyncSession, text_hash: bytes) -> str:
    """
    Return the words that people agreed to.

    Raises:
        NotFound: The tenant has shown no such words.
    """
    row = await store.text_of(scope, session, text_hash)
    if row is None:
        raise NotFound("consent text")
    return row.text


async def order_text(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    *,
    kind: str,
    number: str,
    words: str,
    now: datetime,
    closes_at: datetime,
) -> None:
    """Order a text to a phone that asks to be texted; it leaves once, or not at all after `closes_at`."""
    ask_id, person = new_uuid(), key.recipient_hash(number)
    await store.order(
        scope,
        session,
        ask_id=ask_id,
        kind=kind,
        recipient_hash=person,
        number_sealed=key.seal(number.encode(), context=number_context(person)),
        text_sealed=key.seal(words.encode(), context=ask_context(ask_id)),
        due_at=now,
        closes_at=closes_at,
    )


def ask_context(ask_id: UUID) -> bytes:
    """Return what the words of an ordered text belong to."""
    return b"consent-ask:" + ask_id.bytes


def asked_number(sealed: bytes, recipient_hash: bytes, key: DataKey) -> str:
    """Return the number to which a text was ordered."""
    return key.open(sealed, context=number_context(recipient_hash)).decode()


def text_hash_of(words: str) -> bytes:
    """Return the 32 bytes by which a version of the words is known."""
    return sha256(words.encode()).digest()


def view(row: Consent, key: DataKey, now: datetime) -> ConsentView:
    """Return where a person stands, opened."""
    return ConsentView(
        id=row.id,
        number=asked_number(row.number_sealed, row.recipient_hash, key),
        recipient_hash=row.recipient_hash,
        use_case=row.use_case,
        message_type=row.message_type,
        state="expired" if lapsed(row.state, row.closes_at, now) else row.state,
        method=row.method,
        text_hash=row.text_hash,
        since=row.since,
        closes_at=row.closes_at,
    )


async def _move(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    *,
    number: str,
    event: Event,
    proof: Proof,
    now: datetime,
    use_cases: frozenset[str] | None = None,
    types: frozenset[str] | None = None,
    pending: bool = False,
    method: Method | None = None,
    actor: str | None = "recipient",
) -> list[Taken]:
    recipient_hash = key.recipient_hash(number)
    await take_for_person(scope, session, recipient_hash)
    moved: list[Taken] = []
    for row in await store.of_person(scope, session, recipient_hash):
        named = (use_cases is None or row.use_case in use_cases) and (
            types is None or row.message_type in types
        )
        is_meant = named or (pending and row.state == "pending")
        if not is_meant or not _may(event, row, now):
            continue
        wanted = NewConsent(
            number=number,
            use_case=row.use_case,
            message_type=row.message_type,  # type: ignore[arg-type]  # the table's CHECK holds it to the Literal
            method=method or row.method,  # type: ignore[arg-type]  # likewise
            proof=proof,
            actor=actor,
        )
        moved.append(await _noted(scope, session, key, wanted, row, event=event, now=now))
    return moved


def _is_withdrawn_since(row: Consent, given_at: datetime | None) -> bool:
    """Whether the person has left after a consent that was given then; None is now."""
    return row.state == "withdrawn" and given_at is not None and given_at <= row.since


def _may(event: Event, row: Consent, now: datetime) -> bool:
    if event == "confirmed":
        return row.state == "pending" and not lapsed(row.state, row.closes_at, now)
    return row.state != "withdrawn"


async def _noted(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    wanted: NewConsent,
    before: Consent | None,
    *,
    event: Event,
    now: datetime,
    kept: bool = False,
) -> Taken:
    person = key.recipient_hash(wanted.number)
    stood = None if before is None else before.state
    text_hash = None if wanted.words is None else text_hash_of(wanted.words)
    if wanted.words is not None and text_hash is not None:
        await store.keep_text(scope, session, text_hash=text_hash, words=wanted.words)
    if text_hash is None and event == "confirmed" and before is not None:
        text_hash = before.text_hash
    given_at = check_given_at(wanted.given_at or now, now)
    sealed = key.seal(wanted.number.encode(), context=number_context(person))
    line = await store.note(
        scope,
        session,
        recipient_hash=person,
        number_sealed=sealed,
        use_case=wanted.use_case,
        message_type=wanted.message_type,
        event=event,
        method=wanted.method,
        text_hash=text_hash,
        proof_sealed=_sealed_proof(wanted.proof, person, key),
        actor=wanted.actor or audit.actor(scope),
        given_at=given_at,
    )
    if kept and before is not None:
        return Taken(consent=view(before, key, now), changed=False)
    row = await store.put(
        scope,
        session,
        recipient_hash=person,
        use_case=wanted.use_case,
        number_sealed=sealed,
        message_type=wanted.message_type,
        state=AFTER[event],
        method=wanted.method,
        text_hash=text_hash,
        since=given_at,
        closes_at=now + CONFIRM_WITHIN if event == "asked" else None,
    )
    detail = {"use_case": wanted.use_case, "method": wanted.method}
    subject = encode(PREFIX, row.id)
    await audit.append(
        scope, session, action=f"consent.{event}", subject=subject, detail=detail, by=line.actor
    )
    return Taken(consent=view(row, key, now), changed=stood != row.state)


def _sealed_proof(proof: Proof, person: bytes, key: DataKey) -> bytes | None:
    if proof == Proof():
        return None
    return key.seal(msgspec.json.encode(proof), context=proof_context(person))


def _record_view(row: ConsentRecord, key: DataKey) -> RecordView:
    proof = Proof()
    if row.proof_sealed is not None:
        opened = key.open(row.proof_sealed, context=proof_context(row.recipient_hash))
        proof = msgspec.json.decode(opened, type=Proof) if opened else proof  # a forgotten key opens nothing
    return RecordView(
        id=row.id,
        number=asked_number(row.number_sealed, row.recipient_hash, key),
        use_case=row.use_case,
        message_type=row.message_type,
        event=row.event,
        method=row.method,
        text_hash=row.text_hash,
        proof=proof,
        actor=row.actor,
        given_at=row.given_at,
        at=row.at,
    )


def number_context(person: bytes) -> bytes:
    """Return what binds a sealed number to its person."""
    return b"consent:" + person


def proof_context(person: bytes) -> bytes:
    """Return what binds a sealed proof to its person."""
    return b"consent-proof:" + person
