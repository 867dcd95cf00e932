"""
Which account a caller acts for.

Long-lived keys act for the emulator's own account. Temporary keys, which AssumeRole hands out, carry the
account of the role in them, so that each role leads into an account of its own.
"""

import hashlib
import re
import secrets

TEMPORARY_KEY = re.compile(r"ASIA(?P<account>\d{12})[0-9A-F]{8}")
ROLE = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/[\w+=,.@/-]{1,512}")


def account_of(access_key: str, default: str) -> str:
    """Return the account that an access key acts for."""
    found = TEMPORARY_KEY.fullmatch(access_key)
    return found["account"] if found else default


def temporary_key(account: str) -> str:
    """Return a new temporary access key for an account."""
    return f"ASIA{account}{secrets.token_hex(4).upper()}"


def temporary_secret(access_key: str) -> str:
    """Return the secret that belongs to a temporary key."""
    return hashlib.sha256(f"temporary/{access_key}".encode()).hexdigest()[:40]


def secret_of(access_key: str, credentials: dict[str, str]) -> str | None:
    """Return the secret of a known or temporary key."""
    if TEMPORARY_KEY.fullmatch(access_key):
        return temporary_secret(access_key)
    return credentials.get(access_key)
