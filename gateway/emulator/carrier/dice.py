"""Dice that depend on what is decided, never on the order in which decisions happen to be made."""

import hashlib


class Dice:
    """A stream of numbers fixed by its key: same seed and key, same numbers."""

    def __init__(self, seed: int, *key: str | int) -> None:
        self._material = "\x1f".join([str(seed), *map(str, key)]).encode()
        self._block = b""
        self._taken = 0

    def share(self) -> float:
        """Return the next number, 0 <= n < 1."""
        return self.word() / 2**32

    def word(self) -> int:
        """Return the next 32 bits."""
        if self._taken % 64 == 0:
            salt = (self._taken // 64).to_bytes(8, "big")
            self._block = hashlib.blake2b(self._material, digest_size=64, salt=salt).digest()
        start = self._taken % 64
        self._taken += 4
        return int.from_bytes(self._block[start : start + 4], "big")

    def below(self, limit: int) -> int:
        """Return the next whole number, 0 <= n < limit."""
        return int(self.share() * limit)
