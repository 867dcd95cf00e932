"""API keys as text: one spelling each, found by their checksum, worthless after any change."""

import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from tenants.access import tokens
from tenants.access.credential import Denied, Granted, StoredKey, allows, judge, may_pass_on
from tenants.access.tokens import Mode, mint, pepper_from, read_token, secret_hash

PEPPER = pepper_from("a secret key of the operator")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def stored(token: str, **changes: object) -> StoredKey:
    parts = read_token(token)
    assert parts is not None
    key = StoredKey(
        id=parts.key_id,
        tenant_id=uuid4(),
        mode=parts.mode,
        scopes=(),
        secret_hash=secret_hash(PEPPER, parts.secret),
        expires_at=None,
        revoked_at=None,
    )
    return msgspec.structs.replace(key, **changes)


@pytest.mark.parametrize("mode", ["live", "test"])
def test_a_minted_key_reads_back(mode: Mode) -> None:
    """What is shown to the tenant is what authentication understands."""
    new = mint(mode, pepper=PEPPER)
    parts = read_token(new.token)
    assert parts is not None
    assert (parts.mode, parts.key_id) == (mode, new.key_id)
    assert secret_hash(PEPPER, parts.secret) == new.secret_hash


def test_a_minted_key_has_the_published_form() -> None:
    """Secret scanners search for this form."""
    token = mint("live", pepper=PEPPER).token
    assert token.startswith("tg_live_")
    assert len(token) == 8 + 26 + 43 + 6
    assert token.removeprefix("tg_live_").isalnum()


def test_the_hint_is_the_end_of_the_key() -> None:
    """A tenant tells keys apart by what it can see of its own copy."""
    new = mint("test", pepper=PEPPER)
    assert new.token.endswith(new.hint)
    assert len(new.hint) == 4


def test_ten_thousand_changed_keys_are_all_refused() -> None:
    """A typo must fail before the database is asked, and never reach another key."""
    dice = random.Random(7)
    token = mint("live", pepper=PEPPER).token
    alphabet = tokens._BASE62 + "_-. é"
    accepted = 0
    for _ in range(10_000):
        place = dice.randrange(len(token))
        changed = token[:place] + dice.choice(alphabet) + token[place + 1 :]
        accepted += changed != token and read_token(changed) is not None
    assert accepted == 0


@pytest.mark.parametrize("text", ["", "tg_live_", "tg_prod_" + "0" * 75, "tg_live_" + "0" * 74, "é" * 83])
def test_text_that_was_never_a_key_is_refused(text: str) -> None:
    """Whatever a header holds, reading it cannot fail otherwise."""
    assert read_token(text) is None


def respelt(token: str) -> str:
    """Put a right checksum under any text, as an attacker can."""
    return token[:-6] + tokens._checksum(token[:-6])


def test_the_lower_case_spelling_of_an_id_is_refused() -> None:
    """A key has one spelling, or caches and rate limits could be split."""
    token = mint("live", pepper=PEPPER).token
    lower = respelt(token[:8] + token[8:34].lower() + token[34:])
    assert lower != token
    assert read_token(lower) is None


@pytest.mark.parametrize(("start", "end", "filler"), [(8, 34, "U" * 26), (34, 77, "-" * 43)])
def test_a_right_checksum_does_not_excuse_characters_that_are_none(start: int, end: int, filler: str) -> None:
    """The checksum is no secret, so what follows is still checked."""
    token = mint("live", pepper=PEPPER).token
    assert read_token(respelt(token[:start] + filler + token[end:])) is None


def test_no_repr_shows_a_secret() -> None:
    """An exception's variables end up in logs."""
    new = mint("live", pepper=PEPPER)
    parts = read_token(new.token)
    assert parts is not None
    assert parts.secret not in repr(new) + repr(parts)


def test_the_hash_depends_on_the_operators_secret() -> None:
    """A stolen table of hashes cannot be searched without it."""
    assert secret_hash(PEPPER, "secret") != secret_hash(pepper_from("another secret key"), "secret")


def test_a_proven_key_gives_the_scope_of_its_tenant() -> None:
    """The scope is what every query takes first."""
    token = mint("test", pepper=PEPPER).token
    parts, key = read_token(token), stored(token, scopes=("messages:send",))
    assert parts is not None
    verdict = judge(parts, key, pepper=PEPPER, now=NOW)
    assert isinstance(verdict, Granted)
    assert (verdict.scope.tenant_id, verdict.scope.key_id) == (key.tenant_id, key.id)
    assert verdict.scope.live is False
    assert verdict.scopes == ("messages:send",)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"secret_hash": bytes(32)}, "wrong_secret"),
        ({"mode": "test"}, "wrong_mode"),
        ({"revoked_at": NOW}, "revoked"),
        ({"expires_at": NOW}, "expired"),
        ({"id": uuid4()}, "unknown"),
    ],
)
def test_a_key_that_is_not_good_now_is_denied(changes: dict[str, object], reason: str) -> None:
    """Each reason is logged; outside they all look alike."""
    token = mint("live", pepper=PEPPER).token
    parts = read_token(token)
    assert parts is not None
    assert judge(parts, stored(token, **changes), pepper=PEPPER, now=NOW) == Denied(reason=reason)


def test_an_unknown_key_is_denied() -> None:
    """No row, no scope; the comparison is made all the same, for the time it takes."""
    parts = read_token(mint("live", pepper=PEPPER).token)
    assert parts is not None
    assert judge(parts, None, pepper=PEPPER, now=NOW) == Denied(reason="unknown")


def test_a_test_key_respelt_as_a_live_one_is_denied() -> None:
    """The mode in the token is a claim that anyone can make; only the stored mode counts."""
    token = mint("test", pepper=PEPPER).token
    parts = read_token(respelt(token.replace("tg_test_", "tg_live_")))
    assert parts is not None
    assert judge(parts, stored(token), pepper=PEPPER, now=NOW) == Denied(reason="wrong_mode")


def test_a_key_lives_to_the_end_of_its_time() -> None:
    """Expiry is exclusive: one microsecond before it the key is good."""
    token = mint("live", pepper=PEPPER).token
    parts = read_token(token)
    assert parts is not None
    later = NOW + timedelta(microseconds=1)
    assert isinstance(judge(parts, stored(token, expires_at=later), pepper=PEPPER, now=NOW), Granted)


def test_a_key_without_scopes_may_do_all() -> None:
    """The common key is the unlimited one."""
    assert allows((), "audit:read")
    assert allows(("keys",), "keys")
    assert not allows(("keys",), "messages:send")


def test_nobody_passes_on_what_it_has_not() -> None:
    """Else a key that may only make keys could make itself anything."""
    assert may_pass_on((), ())
    assert may_pass_on(("keys", "templates"), ("templates",))
    assert not may_pass_on(("keys",), ("messages:send",))
    assert not may_pass_on(("keys",), ())
