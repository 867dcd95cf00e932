"""Which keyword a text begins with. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from tenants.keywords.folding import begins_with, is_whole, squeezed, words_of
from tenants.keywords.words import WORDS, BuiltIn

Action = Literal["opt_out", "opt_in", "help", "reply"]
_ACTIONS: Final[dict[BuiltIn, Action]] = {"STOP": "opt_out", "HELP": "help", "JOIN": "opt_in"}
_ANSWERED: Final[tuple[BuiltIn, ...]] = ("HELP", "JOIN")
_JOINS_IN_A_SENTENCE: Final = "join"
_STOPS_EVERYTHING: Final = frozenset({"stopall"})


class OwnKeyword(Struct, frozen=True, kw_only=True):
    """A word of the tenant's own."""

    id: UUID
    word: str
    folded: str
    country: str = ""
    """Where it counts, by the person's number; empty for everywhere."""
    action: Action = "reply"
    list_name: str | None = None
    """The list it puts on or takes off; None for what STOP and JOIN mean on the number."""
    reply: str | None = None


class Match(Struct, frozen=True, kw_only=True):
    """What a text asks for."""

    action: Action
    word: str
    """The keyword as it is listed."""
    built_in: BuiltIn | None
    language: str | None
    """Of a built-in word; a person who writes AYUDA reads Spanish."""
    everything: bool = False
    """Whether it stops all there is, whatever the number is used for."""
    own: OwnKeyword | None = None


class _Word(Struct, frozen=True):
    folded: str
    word: str
    language: str


def matched(
    body: str, *, languages: Sequence[str], country: str | None, own: Iterable[OwnKeyword] = ()
) -> Match | None:
    """
    Return the keyword that a text begins with: a STOP whatever else it may be, then the longest.

    A text that only begins with a word of consent has not given any, so these count alone; JOIN is AWS's
    example and counts in a sentence.
    """
    words = words_of(body)
    if not words:
        return None
    if (stop := _built_in("STOP", words, languages)) is not None:
        return stop[1]
    here = [each for each in own if each.country in {"", country} and begins_with(words, each.folded)]
    best = max(here, key=lambda each: (len(each.folded), each.country != ""), default=None)
    hits = [hit for kind in _ANSWERED if (hit := _built_in(kind, words, languages)) is not None]
    if best is not None:
        hits.append((len(best.folded), _of_own(best)))
    return max(hits, key=lambda hit: hit[0])[1] if hits else None


def hides_built_in(word: str) -> str | None:
    """
    Return the built-in word that a tenant's word would stand before; None for one that may be the tenant's.

    Nothing may begin with a STOP of any language: people roam, and a word that stops somewhere is not to sell
    anything elsewhere. HELP and JOIN may begin a longer keyword, such as HELP BILLING.
    """
    words = words_of(word)
    stops = (each.word for each in _all_words("STOP") if begins_with(words, each.folded))
    same = (each.word for kind in _ANSWERED for each in _all_words(kind) if is_whole(words, each.folded))
    return next(stops, None) or next(same, None)


def _built_in(kind: BuiltIn, words: list[str], languages: Sequence[str]) -> tuple[int, Match] | None:
    hits = [each for each in _words_in(kind, tuple(languages)) if _counts(kind, words, each.folded)]
    if not hits:
        return None
    best = max(hits, key=lambda each: len(each.folded))
    found = Match(
        action=_ACTIONS[kind],
        word=best.word,
        built_in=kind,
        language=best.language,
        everything=best.folded in _STOPS_EVERYTHING,
    )
    return len(best.folded), found


def _counts(kind: BuiltIn, words: list[str], folded: str) -> bool:
    if kind == "JOIN" and folded != _JOINS_IN_A_SENTENCE:
        return is_whole(words, folded)
    return begins_with(words, folded)


def _of_own(own: OwnKeyword) -> Match:
    return Match(action=own.action, word=own.word, built_in=None, language=None, own=own)


@cache
def _words_in(kind: BuiltIn, languages: tuple[str, ...]) -> tuple[_Word, ...]:
    return tuple(
        _Word(squeezed(word), word, language)
        for language in languages
        for word in WORDS[kind].get(language, ())
    )


def _all_words(kind: BuiltIn) -> Iterator[_Word]:
    return iter(_words_in(kind, tuple(WORDS[kind])))
