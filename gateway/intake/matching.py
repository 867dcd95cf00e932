"""
Which approved template a free text is, for tenants whose `body` has to be one.

Templates are found by the fixed text at their two ends, so the cost of a look-up is that of a few slices of
the text and not of the number of templates; of those with the same ends the one that says most by itself is
tried first. A text is at most one template: what is ambiguous goes to the more specific one, then to the
newer.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice, takewhile
from operator import itemgetter
from typing import Final
from uuid import UUID

from msgspec import UNSET, Struct

from gateway.intake.outcome import Declined
from gateway.intake.request import SendRequest
from gateway.intake.snapshot import ApprovedTemplate, TemplatePatterns
from tenants.ids import encode
from tenants.templates.matching import match
from tenants.templates.rendering import Template
from tenants.templates.variables import DEFAULT

MOST_TRIED: Final = 64
"""
Patterns tried for one text after their ends and lengths have fitted; past it the text counts as no match,
which is the safe side. It takes as many templates of the same beginning, end and length.
"""
_MOST_KEPT: Final = 10_000
_FEW: Final = 16
"""Up to this many patterns of the same ends, looking at each is quicker than at the words."""
_WORD: Final = re.compile(r"\w+")
_NEAR: Final = 3
"""Characters two texts must share for one to be called near the other."""


class Pattern(Struct, frozen=True, kw_only=True):
    """One body of an approved template."""

    approved: ApprovedTemplate
    template: Template
    shortest: int
    longest: int
    """Characters that its texts have."""
    telling: str
    """The longest run of fixed text."""


class PatternIndex:
    """The approved bodies of one tenant, built once per policy version."""

    def __init__(self, approved: Iterable[ApprovedTemplate]) -> None:
        ends: dict[str, dict[str, list[Pattern]]] = {}
        self._suffixes: dict[str, list[int]] = {}
        patterns = [pattern for each in approved for pattern in _patterns(each)]
        for pattern in sorted(patterns, key=_rank):
            first, last = pattern.template.literals[0], pattern.template.literals[-1]
            if not pattern.template.slots:
                last = ""
            ends.setdefault(first, {}).setdefault(last, []).append(pattern)
        self._ends = {
            first: {last: _SameEnds(found) for last, found in by_last.items()}
            for first, by_last in ends.items()
        }
        for first, by_last in ends.items():
            self._suffixes[first] = sorted({len(last) for last in by_last}, reverse=True)
        self._prefixes = sorted({len(first) for first in self._ends}, reverse=True)
        self._by_beginning = sorted(
            ((pattern.template.literals[0], pattern.approved) for pattern in patterns), key=itemgetter(0)
        )

    def matches(self, text: str) -> Iterator[tuple[ApprovedTemplate, dict[str, str]]]:
        """Yield the templates that give exactly this text, the most telling first, with their values."""
        for pattern in islice(self._candidates(text), MOST_TRIED):
            values = match(pattern.template, pattern.approved.declarations, text)
            if values is not None:
                yield pattern.approved, values

    def nearest(self, text: str) -> ApprovedTemplate | None:
        """Return the template whose beginning is most like the text's, or None if none is."""
        place = bisect_left(self._by_beginning, text, key=itemgetter(0))
        around = self._by_beginning[max(0, place - 1) : place + 1]
        shared = [(_shared(beginning, text), approved) for beginning, approved in around]
        length, approved = max(shared, key=itemgetter(0), default=(0, None))
        return approved if length >= _NEAR else None

    def _candidates(self, text: str) -> Iterator[Pattern]:
        length = len(text)
        found: list[list[Pattern]] = []
        for first_length in self._prefixes:
            first = text[:first_length]
            by_last = self._ends.get(first)
            if by_last is None:
                continue
            for last_length in self._suffixes[first]:
                last = text[max(first_length, length - last_length) :]
                if (same_ends := by_last.get(last)) is not None:
                    found.extend(same_ends.of_words(text))
        for pattern in found[0] if len(found) == 1 else merge(*found, key=_rank):
            if pattern.shortest <= length <= pattern.longest and pattern.telling in text:
                yield pattern


class PatternShelf:
    """Keeps each tenant's index while its approved versions stay the same: 10,000 bodies take 0.2 s."""

    def __init__(self) -> None:
        self._indexes: dict[UUID, tuple[list[tuple[UUID, int]], PatternIndex]] = {}

    def of(self, tenant_id: UUID, approved: Sequence[ApprovedTemplate]) -> PatternIndex:
        """Return the index over the tenant's approved versions."""
        versions = [(each.id, each.version) for each in approved]
        kept = self._indexes.get(tenant_id)
        if kept is not None and kept[0] == versions:
            return kept[1]
        if len(self._indexes) >= _MOST_KEPT:
            self._indexes.clear()
        index = PatternIndex(approved)
        self._indexes[tenant_id] = versions, index
        return index


class _SameEnds:
    """Patterns of one beginning and one end; many of them are told apart by a word that few of them have."""

    def __init__(self, patterns: list[Pattern]) -> None:
        self._few = patterns if len(patterns) <= _FEW else None
        self._by_word: dict[str, list[Pattern]] = {}
        if self._few is not None:
            return
        words = [_whole_words(pattern.template) for pattern in patterns]
        how_many = Counter(word for each in words for word in each)
        for pattern, own in zip(patterns, words, strict=True):
            rarest = min(own, key=lambda word: (how_many[word], word), default="")
            self._by_word.setdefault(rarest, []).append(pattern)

    def of_words(self, text: str) -> Iterator[list[Pattern]]:
        """Yield lists, each in order, of the patterns whose rarest word the text has."""
        if self._few is not None:
            yield self._few
            return
        for word in {"", *_WORD.findall(text)}:
            if (found := self._by_word.get(word)) is not None:
                yield found


def _whole_words(template: Template) -> set[str]:
    """Return the words of the fixed text that no value touches, so that they are words of every text."""
    words = set[str]()
    final = len(template.literals) - 1
    for place, literal in enumerate(template.literals):
        for word in _WORD.finditer(literal):
            touches_before = place > 0 and word.start() == 0
            touches_after = place < final and word.end() == len(literal)
            if not touches_before and not touches_after:
                words.add(word[0])
    return words


def _shared(beginning: str, text: str) -> int:
    """Return how many characters two texts have in common from the start."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(beginning, text, strict=False)))


def _patterns(approved: ApprovedTemplate) -> Iterator[Pattern]:
    for template in (approved.template, *approved.variants.values()):
        places = [approved.declarations.get(name, DEFAULT) for name in template.slots]
        literal = sum(map(len, template.literals))
        yield Pattern(
            approved=approved,
            template=template,
            shortest=literal + len(places),
            longest=literal + sum(place.max_length for place in places),
            telling=max(template.literals, key=len),
        )


def _rank(pattern: Pattern) -> tuple[int, bool, UUID, int]:
    """Sort the most fixed text first, then the newer version; the rest only makes the order one."""
    literal = sum(map(len, pattern.template.literals))
    return -literal, bool(pattern.template.slots), pattern.approved.id, -pattern.approved.version


def matched(patterns: TemplatePatterns, request: SendRequest, country: str) -> ApprovedTemplate | Declined:
    """
    Return the template that a request's `body` is, or why it may not be sent.

    Args:
        country: The recipient's; a template that is not for it, or not of the request's type, is passed over.
    """
    text = str(request.body)
    closed: Declined | None = None
    for approved, _ in patterns.matches(text):
        if approved.countries and country not in approved.countries:
            closed = closed or Declined(
                code="template_not_allowed",
                detail=f"the text is the template {approved.name}, which is not approved for {country}",
            )
        elif request.type is not UNSET and request.type != approved.type:
            closed = closed or Declined(
                code="use_case_mismatch",
                detail=f"the text is the template {approved.name}, approved for {approved.type}, "
                f"the request says {request.type}",
            )
        else:
            return approved
    return closed or _unknown(patterns.nearest(text))


def _unknown(nearest: ApprovedTemplate | None) -> Declined:
    """Name the nearest template and never the text, which may hold a code."""
    hint = "no approved template begins like it"
    if nearest is not None:
        name = f"{nearest.name} ({encode('tpl', nearest.id)}, version {nearest.version})"
        hint = f"the nearest is {name}; each variable keeps to its kind and length"
    return Declined(
        code="template_required", detail=f"the text is not one that an approved template gives: {hint}"
    )
