"""
`Idempotency-Key` on every POST but the sends, which settle it inside their group commit.

The stored answer is written in the transaction that does the work, so there is never one without the other.
Answers may hold a secret that is shown once; what is stored is sealed under the operator's secret key.
"""

import secrets
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, Final, Protocol, TypeVar, cast
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from litestar import Response
from litestar.enums import MediaType
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.refusals import Refusal
from gateway.intake.idempotency import KEPT_FOR
from gateway.intake.models import IdempotencyKey
from tenants.accounts.sealing import derive

OPERATOR: Final = UUID(int=0)
"""Owner of the operator's keys."""
MAX_KEY_LENGTH: Final = 255

_HEADER: Final = b"idempotency-key"
_REPLAYED: Final = {"Idempotent-Replayed": "true"}
_RETRY_AFTER_MS: Final = 1000
_NONCE_BYTES: Final = 12
_PURPOSE: Final = b"tollgate/v1/idempotent-answer"
_ENCODER: Final = msgspec.json.Encoder()
_T = TypeVar("_T")


class HasHeaders(Protocol):
    """Anything with an ASGI scope."""

    @property
    def scope(self) -> Any:
        """The ASGI scope."""
        ...


class AnswerSeal:
    """Seals stored answers; each opens only for its owner and key."""

    def __init__(self, secret_key: str) -> None:
        self._cipher = AESGCM(derive(secret_key.encode(), _PURPOSE))

    def seal(self, owner: UUID, key: str, body: bytes) -> bytes:
        """Return the answer as it may be stored."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, body, _context(owner, key))

    def open(self, owner: UUID, key: str, sealed: bytes) -> bytes:
        """Return the answer as it was given."""
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _context(owner, key))


def key_of(request: HasHeaders) -> str | None:
    """
    Return the request's Idempotency-Key, or None where there is none.

    Raises:
        Refusal: 400 for a key that is empty, too long or not printable ASCII.
    """
    for name, value in request.scope["headers"]:
        if name == _HEADER:
            return read_key(value)
    return None


def read_key(value: bytes) -> str:
    """
    Return the key that a header's value spells.

    Raises:
        Refusal: 400, as `key_of` says.
    """
    key = str(value, "latin-1")
    if not 0 < len(key) <= MAX_KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise Refusal("invalid_idempotency_key")
    return key


async def fingerprint_of(request: ApiRequest) -> bytes:
    """
    Return the digest of what the key stands for: method, path, mode of the key, and body.

    The body counts as what it says, not as how it is spelled: a retry by another client may space and order
    the same JSON differently, and draws another boundary for the same form.
    """
    scope: Any = request.scope
    auth = scope.get("auth")
    live = auth is None or auth.live
    body = await request.body()
    if boundary := request.content_type[1].get("boundary"):
        body = body.replace(boundary.encode("latin-1", "ignore"), b"")
    return fingerprint(request.method, scope["path"], body, live=live)


def fingerprint(method: str, path: str, body: bytes, *, live: bool) -> bytes:
    """Return the digest of one request."""
    head = f"{method} {path} {'live' if live else 'test'}\n".encode()
    return sha256(head + _canonical(body)).digest()


def _canonical(body: bytes) -> bytes:
    try:
        return msgspec.json.encode(msgspec.json.decode(body), order="sorted")
    except msgspec.DecodeError:
        return body


async def answer_once(
    request: ApiRequest,
    session: AsyncSession,
    work: Callable[[AsyncSession], Awaitable[_T]],
    *,
    owner: UUID,
    status: int,
    seal: AnswerSeal,
) -> Response[_T]:
    """
    Do the work and answer, or replay the answer that an earlier request with the same key got.

    `owner` is the tenant, or `OPERATOR`; keys of two owners never meet.

    Raises:
        Refusal: The key is malformed, stands for another request, or its first request still runs.
    """
    key = key_of(request)
    if key is None:
        return _response(_ENCODER.encode(await work(session)), status)
    return await answer_keyed(request, session, work, owner=owner, key=key, status=status, seal=seal)


async def answer_keyed(
    request: ApiRequest,
    session: AsyncSession,
    work: Callable[[AsyncSession], Awaitable[_T]],
    *,
    owner: UUID,
    key: str,
    status: int,
    seal: AnswerSeal,
) -> Response[_T]:
    """Do the same under a key that did not come as Idempotency-Key. Raises as `answer_once`."""
    await _lock(session, owner, key)
    fingerprint = await fingerprint_of(request)
    stored = await _stored(session, owner, key)
    if stored is not None:
        return _replay(stored, fingerprint, seal)
    body = _ENCODER.encode(await work(session))
    await _store(
        session, owner, key, fingerprint=fingerprint, status=status, sealed=seal.seal(owner, key, body)
    )
    return _response(body, status)


async def claim_key(session: AsyncSession, owner: UUID, key: str, fingerprint: bytes, *, status: int) -> None:
    """
    Bind a key to a request whose parts keep their own answers, such as a batch.

    Raises:
        Refusal: The key stands for another request.
    """
    await _store(session, owner, key, fingerprint=fingerprint, status=status, sealed=None)
    stored = await _stored(session, owner, key)
    if stored is None or stored.fingerprint != fingerprint:
        raise Refusal("idempotency_mismatch")


async def forget_answer(session: AsyncSession, owner: UUID, key: str | None) -> None:
    """Free a key whose request failed after its answer was stored: asked again, it is done again."""
    if key is not None:
        await session.execute(
            delete(IdempotencyKey).where(IdempotencyKey.tenant_id == owner, IdempotencyKey.key == key)
        )


async def _lock(session: AsyncSession, owner: UUID, key: str) -> None:
    number = func.hashtextextended(f"{owner}:{key}", 0)
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(number))):
        raise Refusal("idempotency_in_flight", retry_after_ms=_RETRY_AFTER_MS)


async def _stored(session: AsyncSession, owner: UUID, key: str) -> IdempotencyKey | None:
    found = select(IdempotencyKey).where(
        IdempotencyKey.tenant_id == owner, IdempotencyKey.key == key, IdempotencyKey.expires_at > func.now()
    )
    return await session.scalar(found)


async def _store(
    session: AsyncSession,
    owner: UUID,
    key: str,
    *,
    fingerprint: bytes,
    status: int,
    sealed: bytes | None,
) -> None:
    """Write the answer; one that has expired makes room."""
    values = {
        "fingerprint": fingerprint,
        "status": status,
        "body": sealed,
        "message_id": None,
        "created_at": func.now(),
        "expires_at": func.now() + KEPT_FOR,
    }
    write = insert(IdempotencyKey).values(tenant_id=owner, key=key, **values)
    await session.execute(
        write.on_conflict_do_update(
            index_elements=["tenant_id", "key"], set_=values, where=IdempotencyKey.expires_at <= func.now()
        )
    )


def _replay(stored: IdempotencyKey, fingerprint: bytes, seal: AnswerSeal) -> Response[Any]:
    if stored.fingerprint != fingerprint or stored.body is None:
        raise Refusal("idempotency_mismatch")
    return _response(seal.open(stored.tenant_id, stored.key, stored.body), stored.status, _REPLAYED)


def _response(body: bytes, status: int, headers: dict[str, str] | None = None) -> Response[Any]:
    """Bytes that are already the JSON of the declared type."""
    answer = Response(body, status_code=status, headers=headers, media_type=MediaType.JSON)
    return cast("Response[Any]", answer)


def _context(owner: UUID, key: str) -> bytes:
    return owner.bytes + key.encode()
