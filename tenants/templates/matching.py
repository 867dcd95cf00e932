"""
Back from a text to the values behind it: whether a free text is one that an approved template gives.

The quick way takes each literal at its first place, which is the answer for nearly every honest text. Where
that fails, bit sets over the text say which places can lead to the end at all.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from tenants.templates import alphabet, links, variables
from tenants.templates.rendering import Rendered, Template, render
from tenants.templates.variables import DEFAULT, Declaration, VariableKind

MATCH_BUDGET: Final = 1000
"""Values tried before `match` gives up and refuses; an ordinary body needs one per place."""


def match(template: Template, declarations: Mapping[str, Declaration], text: str) -> dict[str, str] | None:
    """
    Return values that render to exactly this text, or None.

    Where several sets of values would, the earlier places get the shorter ones. The time is bounded whatever
    the text: one pass from the end marks, in bit sets over the text, the places each value could begin; a
    walk from the start then tries only values that lead to the end, at most MATCH_BUDGET of them. Running out
    counts as no match, for refusing is the safe side; it takes a body in which a name returns among others
    with nothing between them, or an adversary.
    """
    if len(text) > alphabet.BODY_MAX_CHARACTERS or not text.startswith(template.literals[0]):
        return None
    values = _first_places(template, text)
    if values is not None and render(template, declarations, values) == Rendered(text=text):
        return values
    values = _Walk(template, declarations, text).run()
    if values is None or render(template, declarations, values) != Rendered(text=text):
        return None
    return values


def _first_places(template: Template, text: str) -> dict[str, str] | None:
    """
    Split the text at the first place of each literal, or return None where that gives no values.

    If these values fit, they are what the walk would find first: the earlier places get the shorter ones.
    """
    if not template.slots or not text.endswith(template.literals[-1]):
        return None
    values: dict[str, str] = {}
    start, last = len(template.literals[0]), len(text) - len(template.literals[-1])
    for name, literal in zip(template.slots[:-1], template.literals[1:-1], strict=True):
        end = text.find(literal, start + 1, last) if literal else start + 1
        if end < 0 or values.setdefault(name, text[start:end]) != text[start:end]:
            return None
        start = end + len(literal)
    if start >= last or values.setdefault(template.slots[-1], text[start:last]) != text[start:last]:
        return None
    return values


class _Walk:
    """One search for the values behind a text."""

    def __init__(self, template: Template, declarations: Mapping[str, Declaration], text: str) -> None:
        self._literals = template.literals
        self._slots = template.slots
        self._places = [declarations.get(name, DEFAULT) for name in template.slots]
        self._text = text
        kinds: set[VariableKind] = {place.kind for place in self._places}
        self._no_seam = _insides_of_links(text)
        self._allowed = {kind: _runs(kind, text) for kind in kinds}
        self._ends = self._possible_ends()
        self._budget = MATCH_BUDGET
        self._dead = set[tuple[int, int]]()
        self._values = dict[str, str]()
        self._names_return = len(set(template.slots)) < len(template.slots)

    def run(self) -> dict[str, str] | None:
        if not self._slots:
            return {} if self._text == self._literals[0] else None
        start = len(self._literals[0])
        if self._no_seam >> start & 1:
            return None
        return self._values if self._fill(0, start) else None

    def _possible_ends(self) -> list[int]:
        """For each slot the bit set of positions where its value may end and the rest still fits."""
        ends = [0] * len(self._slots)
        following = 1 << len(self._text)
        for slot in reversed(range(len(self._slots))):
            ends[slot] = _starts(self._literals[slot + 1], self._text, following) & ~self._no_seam
            following = self._reach_back(slot, ends[slot])
        return ends

    def _reach_back(self, slot: int, ends: int) -> int:
        """Return where a value may begin to end at one of `ends`."""
        place = self._places[slot]
        allowed = self._allowed[place.kind]
        begins, frontier = 0, ends
        for _ in range(place.max_length):
            frontier = frontier >> 1 & allowed
            if not frontier:
                break
            begins |= frontier
        return begins & ~self._no_seam

    def _fill(self, slot: int, start: int) -> bool:
        if slot == len(self._slots):
            return start == len(self._text)
        if (slot, start) in self._dead:
            return False
        name = self._slots[slot]
        bound = self._values.get(name)
        for end in self._candidates(slot, start):
            value = self._text[start:end]
            if bound is not None and value != bound:
                continue
            self._budget -= 1
            if self._budget < 0:
                return False
            if variables.check_value(name, self._places[slot], value) != value:
                continue
            self._values[name] = value
            if self._fill(slot + 1, end + len(self._literals[slot + 1])):
                return True
            if bound is None:
                del self._values[name]
        if not self._names_return:
            # Whether the rest fits depends on the position alone, unless a name returns with its value.
            self._dead.add((slot, start))
        return False

    def _candidates(self, slot: int, start: int) -> Iterator[int]:
        """Yield where the value of a slot may end, nearest first."""
        place = self._places[slot]
        allowed = self._allowed[place.kind] >> start
        run = (~allowed & (allowed + 1)).bit_length() - 1
        longest = min(run, place.max_length)
        ends = self._ends[slot] >> start & (1 << longest + 1) - 2
        while ends:
            nearest = ends & -ends
            yield start + nearest.bit_length() - 1
            ends ^= nearest


def _runs(kind: VariableKind, text: str) -> int:
    """Return the bit set of positions whose character a value of this kind may hold."""
    positions = 0
    for run in variables.ALLOWED[kind].finditer(text):
        positions |= (1 << len(run[0])) - 1 << run.start()
    return positions


def _insides_of_links(text: str) -> int:
    """Return the bit set of positions where literal and value may not meet, as `_lay_out` has it."""
    positions = 0
    for link in links.links(text):
        positions |= (1 << link.end()) - (2 << link.start())
    return positions


def _starts(literal: str, text: str, following: int) -> int:
    """Return the bit set of positions where the literal stands and ends in `following`."""
    if not literal:
        return following
    positions, found = 0, text.find(literal)
    while found >= 0:
        positions |= 1 << found
        found = text.find(literal, found + 1)
    return positions & following >> len(literal)
