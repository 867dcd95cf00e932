"""Sealing: what end users said opens with its tenant's key, in its own place, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.accounts.sealing import DataKey, derive, new_wrapped_key, unwrap
from tenants.errors import KeyUnwrapFailed, SealBroken

SECRET_KEY = "a secret key of the operator"


@pytest.fixture(scope="module")
def data_key() -> DataKey:
    return unwrap(new_wrapped_key(SECRET_KEY), SECRET_KEY)


@given(plaintext=st.binary(max_size=2000), context=st.binary(max_size=40))
def test_what_was_sealed_opens_in_its_context(plaintext: bytes, context: bytes) -> None:
    """Sealing loses nothing, whatever the bytes."""
    key = unwrap(new_wrapped_key(SECRET_KEY), SECRET_KEY)
    assert key.open(key.seal(plaintext, context=context), context=context) == plaintext


def test_a_sealed_value_moved_to_another_row_does_not_open(data_key: DataKey) -> None:
    """A ciphertext copied from one message to another must not be readable there."""
    sealed = data_key.seal(b"+12065550100", context=b"message:1")
    with pytest.raises(SealBroken):
        data_key.open(sealed, context=b"message:2")


@given(position=st.integers(0, 27), bit=st.integers(0, 7))
def test_a_sealed_value_with_one_bit_flipped_does_not_open(position: int, bit: int) -> None:
    """Nonce, text and tag are all bound."""
    key = unwrap(new_wrapped_key(SECRET_KEY), SECRET_KEY)
    sealed = bytearray(key.seal(b"", context=b"here"))
    sealed[position] ^= 1 << bit
    with pytest.raises(SealBroken):
        key.open(bytes(sealed), context=b"here")


@pytest.mark.parametrize("length", [0, 1, 11, 12, 27])
def test_bytes_too_short_to_be_sealed_are_refused(data_key: DataKey, length: int) -> None:
    """A truncated column is a broken seal, not an index error."""
    with pytest.raises(SealBroken):
        data_key.open(bytes(length), context=b"")


def test_the_same_text_is_sealed_differently_each_time(data_key: DataKey) -> None:
    """Equal ciphertexts would show who gets the same text."""
    assert data_key.seal(b"same", context=b"") != data_key.seal(b"same", context=b"")


def test_another_tenants_key_does_not_open_it(data_key: DataKey) -> None:
    """Each tenant's key is its own even under one operator secret."""
    other = unwrap(new_wrapped_key(SECRET_KEY), SECRET_KEY)
    with pytest.raises(SealBroken):
        other.open(data_key.seal(b"text", context=b""), context=b"")


def test_a_number_has_one_hash_within_a_tenant_and_another_with_the_next(data_key: DataKey) -> None:
    """Numbers are enumerable, so a hash that two tenants share would be a directory."""
    other = unwrap(new_wrapped_key(SECRET_KEY), SECRET_KEY)
    assert data_key.recipient_hash("+12065550100") == data_key.recipient_hash("+12065550100")
    assert data_key.recipient_hash("+12065550100") != data_key.recipient_hash("+12065550101")
    assert data_key.recipient_hash("+12065550100") != other.recipient_hash("+12065550100")


def test_a_recipient_hash_has_16_bytes(data_key: DataKey) -> None:
    """128 bits keep a tenant's numbers apart and the index small."""
    assert len(data_key.recipient_hash("+12065550100")) == 16


def test_a_wrapped_key_opens_to_the_same_data_key_each_time() -> None:
    """A restart must find the rows it wrote before."""
    wrapped = new_wrapped_key(SECRET_KEY)
    sealed = unwrap(wrapped, SECRET_KEY).seal(b"text", context=b"")
    assert unwrap(wrapped, SECRET_KEY).open(sealed, context=b"") == b"text"


def test_a_wrong_operator_secret_is_named_as_the_fault() -> None:
    """A rotated TOLLGATE_SECRET_KEY must be told apart from damaged rows."""
    with pytest.raises(KeyUnwrapFailed, match="TOLLGATE_SECRET_KEY"):
        unwrap(new_wrapped_key(SECRET_KEY), "another secret key")


@pytest.mark.parametrize("wrapped", [b"\0", bytes(59), bytes(61)])
def test_a_wrapped_key_of_another_length_is_refused(wrapped: bytes) -> None:
    """A truncated column is a failed unwrap, not a crash."""
    with pytest.raises(KeyUnwrapFailed, match="length"):
        unwrap(wrapped, SECRET_KEY)


def test_a_forgotten_key_opens_nothing_and_what_it_seals_is_lost() -> None:
    """The readers of an erased tenant's rows find nothing, and none of them fails."""
    known = unwrap(new_wrapped_key(SECRET_KEY), SECRET_KEY)
    late = unwrap(b"", SECRET_KEY).seal(b"late", context=b"")
    for sealed in (known.seal(b"text", context=b""), b"", late):
        assert unwrap(b"", SECRET_KEY).open(sealed, context=b"") == b""
    with pytest.raises(SealBroken):
        known.open(late, context=b"")


def test_keys_for_two_purposes_differ() -> None:
    """The key that hashes API keys must say nothing about the one that wraps data keys."""
    assert derive(b"secret", b"one") != derive(b"secret", b"two")


def test_a_data_key_does_not_show_itself(data_key: DataKey) -> None:
    """A key in a log line would be a key in every log store."""
    assert "object at" in repr(data_key)
