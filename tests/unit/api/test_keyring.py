"""The cache in front of API keys: quick, bounded, and never trusting for long."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from gateway.api import keyring
from gateway.api.keyring import Keyring, NotAToken
from gateway.clock import FixedClock
from tenants.access.credential import Denied, Granted, StoredKey
from tenants.access.tokens import mint
from tenants.ids import new_uuid

PEPPER = b"p" * 32


class Shelf:
    """Keys as Postgres would hold them, and how often it was asked."""

    def __init__(self) -> None:
        self.keys: dict[UUID, StoredKey] = {}
        self.asked = 0
        self.seconds = 0.0
        self.ring = Keyring(
            self.look_up,
            pepper=PEPPER,
            clock=FixedClock(datetime(2026, 1, 1, tzinfo=UTC)),
            monotonic=lambda: self.seconds,
        )

    async def look_up(self, key_id: UUID) -> StoredKey | None:
        """Answer as Postgres would."""
        self.asked += 1
        await asyncio.sleep(0)
        return self.keys.get(key_id)

    def add(self) -> str:
        """Store a key and return its token."""
        new = mint("live", pepper=PEPPER)
        self.keys[new.key_id] = StoredKey(
            id=new.key_id,
            tenant_id=new_uuid(),
            mode="live",
            scopes=(),
            secret_hash=new.secret_hash,
            expires_at=None,
            revoked_at=None,
        )
        return new.token


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


async def test_a_key_is_looked_up_once_while_it_is_trusted(shelf: Shelf) -> None:
    """A send costs no query to learn who speaks."""
    token = shelf.add()
    for _ in range(100):
        assert isinstance(await shelf.ring.judge(token), Granted)
    assert shelf.asked == 1


async def test_a_key_is_looked_up_again_before_five_seconds_are_over(shelf: Shelf) -> None:
    """A revocation elsewhere is seen in time."""
    token = shelf.add()
    await shelf.ring.judge(token)
    shelf.keys.clear()
    shelf.seconds = 4.9
    assert isinstance(await shelf.ring.judge(token), Denied)


async def test_many_at_once_share_one_look_up(shelf: Shelf) -> None:
    """The end of trust must not become a herd."""
    token = shelf.add()
    verdicts = await asyncio.gather(*(shelf.ring.judge(token) for _ in range(50)))
    assert all(isinstance(verdict, Granted) for verdict in verdicts)
    assert shelf.asked == 1


async def test_text_that_was_never_a_token_asks_nobody(shelf: Shelf) -> None:
    """The checksum comes before Postgres."""
    assert isinstance(await shelf.ring.judge("tg_live_" + "x" * 75), NotAToken)
    assert shelf.asked == 0


async def test_an_unknown_key_is_remembered_for_a_moment(shelf: Shelf) -> None:
    """A flood of one made-up key is one query."""
    stray = mint("live", pepper=PEPPER).token
    for _ in range(10):
        assert isinstance(await shelf.ring.judge(stray), Denied)
    assert shelf.asked == 1


async def test_the_memory_is_bounded(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of many made-up keys does not fill the process."""
    monkeypatch.setattr(keyring, "MOST_KEPT", 10)
    for _ in range(50):
        await shelf.ring.judge(mint("live", pepper=PEPPER).token)
    assert len(shelf.ring._rows) == 10


async def test_a_wrong_secret_of_a_known_key_is_denied_though_the_key_is_cached(shelf: Shelf) -> None:
    """The id proves nothing."""
    token = shelf.add()
    await shelf.ring.judge(token)
    other = mint("live", pepper=b"q" * 32)
    shelf.keys[other.key_id] = shelf.keys[next(iter(shelf.keys))]
    assert isinstance(await shelf.ring.judge(other.token), Denied)


async def test_a_failing_look_up_reaches_who_asked_and_is_not_kept(shelf: Shelf) -> None:
    """Postgres back again, the key works again."""
    token = shelf.add()
    kept, shelf.keys = shelf.keys, None  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        await shelf.ring.judge(token)
    shelf.keys = kept
    assert isinstance(await shelf.ring.judge(token), Granted)
