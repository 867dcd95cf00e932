"""Encodings and message parts (GSM 03.38 and 03.40)."""

import msgspec

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("^{}\\[~]|€\f")
"""Characters that take an escape, hence two septets."""

GSM_SINGLE, GSM_JOINED = 160, 153
UCS2_SINGLE, UCS2_JOINED = 70, 67
"""Units that fit one message alone, and each part of a longer one."""

GSM_LONGEST, UCS2_LONGEST = 1530, 630
"""Characters that AWS's guide allows in one message."""


class Sizing(msgspec.Struct, frozen=True):
    """How a body travels."""

    encoding: str
    """GSM or UNICODE, as events say it."""
    parts: int
    too_long: bool
    """Longer than the guide allows, though the API takes it."""


def sizing(body: str) -> Sizing:
    """Return the encoding and number of parts of a body."""
    characters = set(body)
    if characters <= GSM_BASIC:
        return _gsm([1] * len(body) if len(body) > GSM_SINGLE else [], len(body))
    if characters <= GSM_BASIC | GSM_EXTENDED:
        weights = [2 if character in GSM_EXTENDED else 1 for character in body]
        return _gsm(weights, sum(weights))
    weights = [2 if ord(character) > 0xFFFF else 1 for character in body]  # noqa: PLR2004 - end of the BMP
    total = sum(weights)
    parts = 1 if total <= UCS2_SINGLE else _fill(weights, UCS2_JOINED)
    return Sizing("UNICODE", parts, total > UCS2_LONGEST)


def _gsm(weights: list[int], total: int) -> Sizing:
    parts = 1 if total <= GSM_SINGLE else _fill(weights, GSM_JOINED)
    return Sizing("GSM", parts, total > GSM_LONGEST)


def _fill(weights: list[int], room: int) -> int:
    """Count parts, never splitting a character of two units across two of them."""
    parts, used = 1, 0
    for weight in weights:
        if used + weight > room:
            parts += 1
            used = 0
        used += weight
    return parts
