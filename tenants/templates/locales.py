"""Which language variant of a template a recipient gets. Pure."""

import re
from collections.abc import Collection
from typing import Final

_LOCALE: Final = re.compile("[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")


def is_locale(text: str) -> bool:
    """Whether this is a BCP 47 tag of language, script and country: `de`, `pt-BR`, `zh-Hant-TW`."""
    return _LOCALE.fullmatch(text) is not None


def pick(available: Collection[str], wanted: str) -> str | None:
    """
    Return the locale that serves `wanted` best, or None for the template's own body.

    `de-AT` is served by `de-AT`, else by `de`; `de` is served by `de`, else by the first `de-…`.
    """
    tag = wanted
    while tag:
        if tag in available:
            return tag
        tag = tag.rpartition("-")[0]
    if "-" in wanted:
        return None
    return next((each for each in sorted(available) if each.startswith(f"{wanted}-")), None)
