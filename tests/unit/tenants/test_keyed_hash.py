"""What stands in the database was hashed by HMAC-SHA-256, and is looked up by the same."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from tenants.accounts.keyed_hash import KeyedHash


@given(st.binary(min_size=1, max_size=100), st.lists(st.binary(max_size=200), max_size=4))
def test_a_prepared_key_hashes_like_the_standard_library(key: bytes, texts: list[bytes]) -> None:
    """Again and again: a digest must not depend on what was hashed before it."""
    hashes = KeyedHash(key)
    assert [hashes.digest(text) for text in texts] == [hmac.digest(key, text, "sha256") for text in texts]
