"""
Passwords: Argon2id, and what is too easy to guess.

Lengths follow NIST SP 800-63B: long ones, no rules about kinds of characters. Figures of Argon2id are
argon2-cffi's defaults, RFC 9106's second choice: 64 MiB, three passes.
"""

import unicodedata
from base64 import b64encode
from typing import Final

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from tenants.errors import InvalidInput

SHORTEST: Final = 12
LONGEST: Final = 200
_DIFFERENT: Final = 5
"""Different characters that a password has at the least."""
_COMMON: Final = frozenset(
    {
        "123456789012", "1234567890123", "1q2w3e4r5t6y", "abc123abc123", "abcdefghijkl", "adminadmin12",
        "administrator", "changemechangeme", "correcthorsebatterystaple", "iloveyou1234", "letmeinletmein",
        "passw0rd1234", "password1234", "password12345", "password123456", "passwordpassword", "qwerty123456",
        "qwertyqwerty", "qwertyuiop12", "qwertyuiopas", "qwertyuiopasdfgh", "tollgatetollgate",
        "trustno1trustno1", "welcome12345", "welcomewelcome", "zaq12wsxcde3",
    }
)  # fmt: skip
"""Of the lists of breached passwords, those as long as ours have to be."""
_HASHER: Final = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


def _nobodys_hash(like: Parameters) -> str:
    """Return a hash that no password has: to compare with it takes as long, and to make it takes nothing."""
    salt, hashed = (b64encode(bytes(size)).decode().rstrip("=") for size in (like.salt_len, like.hash_len))
    cost = f"m={like.memory_cost},t={like.time_cost},p={like.parallelism}"
    return f"$argon2id$v={like.version}${cost}${salt}${hashed}"


_NOBODYS: Final = _nobodys_hash(RFC_9106_LOW_MEMORY)


def check_password(password: str, *, email: str) -> None:
    """
    Refuse what is guessed first.

    Raises:
        InvalidInput: The password is too short, too long, common, or made of the address.
    """
    plain = _normal(password).casefold()
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput("/password", "password_length", f"Choose {SHORTEST} to {LONGEST} characters.")
    if len(set(plain)) < _DIFFERENT or plain in _COMMON:
        raise InvalidInput("/password", "password_common", "Choose one that is not on the lists of guesses.")
    name, _, domain = email.casefold().partition("@")
    if any(part in plain and len(plain) - len(part) < SHORTEST for part in (name, domain) if part):
        raise InvalidInput("/password", "password_common", "Choose one that is not made of your address.")


def hash_password(password: str) -> str:
    """Return the PHC string to store; takes tens of milliseconds of CPU, so call it in a thread."""
    return _HASHER.hash(_normal(password))


def is_password(stored: str | None, password: str) -> bool:
    """Return whether it is the one; takes as long where there is no stored one. Call it in a thread."""
    try:
        _HASHER.verify(stored or _NOBODYS, _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def _normal(password: str) -> str:
    """One spelling for what keyboards write in several."""
    return unicodedata.normalize("NFKC", password)
