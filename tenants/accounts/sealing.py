"""
How what end users said is sealed, tenant by tenant.

The operator's secret key wraps one random data key per tenant; the data key never seals anything itself but
gives two others by HKDF, one that seals and one that hashes recipients. So a row copied to another place does
not open (its context differs), a number is looked up by a hash that means nothing without the tenant's key,
and forgetting a tenant is forgetting 60 bytes.
"""

import os
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tenants.accounts.keyed_hash import KeyedHash
from tenants.errors import KeyUnwrapFailed, SealBroken

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_NONCES_AHEAD: Final = 256
_TAG_BYTES: Final = 16
_RECIPIENT_HASH_BYTES: Final = 16
_WRAPPING: Final = b"tollgate/v1/wrap-data-key"
_SEALING: Final = b"tollgate/v1/seal"
_RECIPIENTS: Final = b"tollgate/v1/recipient-hash"


class DataKey:
    """
    One tenant's key; made by `unwrap` only, and kept in memory only.

    Nonces are random, so one key may seal 2^32 values before their chance to meet passes 2^-32 (NIST SP
    800-38D): two thousand million messages of one tenant.
    """

    __slots__ = ("_recipients", "_sealer")

    def __init__(self, raw: bytes) -> None:
        self._sealer = AESGCM(derive(raw, _SEALING))
        self._recipients = KeyedHash(derive(raw, _RECIPIENTS))

    def seal(self, plaintext: bytes, *, context: bytes) -> bytes:
        """
        Return nonce, ciphertext and tag, 28 bytes more than `plaintext`.

        The context says what the value belongs to (kind and id); it opens under the same one only.
        """
        nonce = _nonce()
        return nonce + self._sealer.encrypt(nonce, plaintext, context)

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """
        Return what was sealed.

        Raises:
            SealBroken: The value was changed, moved to another context, or sealed by another tenant.
        """
        if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
            raise SealBroken("the sealed value is too short to be one")
        try:
            return self._sealer.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
        except InvalidTag:
            raise SealBroken("the sealed value does not open in this context") from None

    def recipient_hash(self, e164: str) -> bytes:
        """Return the 16 bytes by which this tenant's rows about a number are found."""
        return self._recipients.digest(e164.encode())[:_RECIPIENT_HASH_BYTES]

    def code_hash(self, code: str, *, context: bytes) -> bytes:
        """Return the 32 bytes by which a short code is known again; no E.164 number hashes like one."""
        return self._recipients.digest(b"code:" + context + b":" + code.encode())


class ForgottenKey(DataKey):
    """
    Stands for the key of a tenant that was erased: what it sealed is nothing any more, for everybody.

    What comes late is sealed under a key that nobody keeps.
    """

    def __init__(self) -> None:
        super().__init__(secrets.token_bytes(_KEY_BYTES))

    def open(self, sealed: bytes, *, context: bytes) -> bytes:  # noqa: ARG002 - the signature of a key
        """Return nothing: not even the tenant's own rows open."""
        return b""


FORGOTTEN: Final = b""
"""What stands in the place of the wrapped key of a tenant that was erased."""

_nonces: Final[list[bytes]] = []
"""Random bytes read ahead: a call of the kernel per nonce costs more than the sealing."""
os.register_at_fork(after_in_child=_nonces.clear)


def _nonce() -> bytes:
    """Return a nonce that nobody else got: taking one off a list is atomic, and a fork starts with none."""
    try:
        return _nonces.pop()
    except IndexError:
        ahead = secrets.token_bytes(_NONCE_BYTES * _NONCES_AHEAD)
        _nonces.extend(ahead[at : at + _NONCE_BYTES] for at in range(_NONCE_BYTES, len(ahead), _NONCE_BYTES))
        return ahead[:_NONCE_BYTES]


def new_wrapped_key(secret_key: str) -> bytes:
    """Return a fresh random data key, wrapped; nonce in front, 60 bytes."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _wrapper(secret_key).encrypt(nonce, secrets.token_bytes(_KEY_BYTES), _WRAPPING)


def unwrap(wrapped: bytes, secret_key: str) -> DataKey:
    """
    Return the data key inside `wrapped`; of a tenant that was erased, one that opens nothing.

    Raises:
        KeyUnwrapFailed: `secret_key` is not the one that wrapped it, or the bytes are damaged.
    """
    if wrapped == FORGOTTEN:
        return ForgottenKey()
    if len(wrapped) != _NONCE_BYTES + _KEY_BYTES + _TAG_BYTES:
        raise KeyUnwrapFailed("the wrapped data key has the wrong length")
    try:
        raw = _wrapper(secret_key).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _WRAPPING)
    except InvalidTag:
        raise KeyUnwrapFailed("TOLLGATE_SECRET_KEY does not open the tenant's data key") from None
    return DataKey(raw)


def derive(secret: bytes, purpose: bytes) -> bytes:
    """
    Return a 32-byte key for one purpose (HKDF-SHA256); keys of two purposes say nothing about each other.

    The secret needs its full entropy: HKDF does not make a guessable one less guessable.
    """
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=purpose).derive(secret)


def _wrapper(secret_key: str) -> AESGCM:
    return AESGCM(derive(secret_key.encode(), _WRAPPING))
