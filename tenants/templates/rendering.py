"""
From an approved body to a text, and back.

    Acme: your code is {code}

A name in braces is a place; `{{` and `}}` stand for the braces themselves. A body is parsed once, into the
literals around its places; values are laid between them and never looked at again, so a value that reads
`{code}` is just those six characters.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Final, Literal

from msgspec import UNSET, Struct

from tenants.templates import alphabet, links, lookalikes, variables
from tenants.templates.alphabet import Encoding
from tenants.templates.variables import DEFAULT, Declaration, VariableFault

MAX_PLACES: Final = 20
"""Places in one body; a name used twice takes two."""

FAULTS_LISTED: Final = 50

_DISGUISE: Final = (
    "a word is not what it looks like: letters of other scripts, or wide ones, among Latin text"
)
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_HOST = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_MOST_HOSTS: Final = 20
_NAME = re.compile("[a-z][a-z0-9_]{0,39}")
_FORBIDDEN = re.compile(
    "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0"
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufdd0-\ufdef\ufff0-\uffff"
    "\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff]"
    "|(?<![^\x00-\x7f])[\u200c\u200d\ufe00-\ufe0f]"
)
"""
What an approver could not see. Joiners and variation selectors stay allowed after a character that is not
ASCII: Persian, the Indic scripts and emoji are written with them.
"""

TemplateFaultCode = Literal[
    "body_empty",
    "body_too_long",
    "unbalanced_brace",
    "bad_name",
    "too_many_variables",
    "forbidden_character",
    "not_in_body",
    "max_length",
    "hosts",
]


class TemplateFault(Struct, frozen=True, kw_only=True):
    """One thing the author of a template has to change."""

    field: str
    """JSON pointer into the template: `/body` or `/variables/code`."""
    code: TemplateFaultCode
    detail: str
    position: int | None = None
    """Characters of the body before it."""


class TemplateFaults(Struct, frozen=True, kw_only=True):
    """The body is no template."""

    faults: tuple[TemplateFault, ...]


class Template(Struct, frozen=True, kw_only=True):
    """A parsed body: `literals[0] + value of slots[0] + literals[1] + … + literals[-1]`."""

    literals: tuple[str, ...]
    """One more than there are slots; NFC, braces unescaped, possibly empty."""
    slots: tuple[str, ...]
    """Variable names in the order of their places; a name may return."""

    @property
    def variables(self) -> tuple[str, ...]:
        """The distinct names, in order of appearance."""
        return tuple(dict.fromkeys(self.slots))


class Rendered(Struct, frozen=True, kw_only=True):
    """The text to send."""

    text: str


class RenderFaults(Struct, frozen=True, kw_only=True):
    """The values do not fit; nothing was rendered."""

    faults: tuple[VariableFault, ...]


class WorstCase(Struct, frozen=True, kw_only=True):
    """The most that allowed values can make of a template."""

    parts: int
    encoding: Encoding
    characters: int
    """Above 1,600 some allowed values would give a body that cannot be sent."""


def parse_template(body: str) -> Template | TemplateFaults:
    """Return the parsed body, or everything that is wrong with it; joins accents (NFC) first."""
    if not body or body.isspace():
        return _refused("body_empty", "the body is empty or all blank")
    if len(body) > alphabet.BODY_MAX_CHARACTERS:
        detail = f"the body has {len(body)} characters, at most {alphabet.BODY_MAX_CHARACTERS} can be sent"
        return _refused("body_too_long", detail)
    normal = unicodedata.normalize("NFC", body)
    template, faults = _take_apart(normal)
    faults += _unfit_literals(normal, template)
    return TemplateFaults(faults=tuple(faults[:FAULTS_LISTED])) if faults else template


def check_declarations(
    template: Template, declarations: Mapping[str, Declaration]
) -> tuple[TemplateFault, ...]:
    """Return what is wrong with the declarations: for no place in the body, or out of bounds."""
    faults: list[TemplateFault] = []
    for name, declaration in declarations.items():
        field = variables.pointer(name).removeprefix("/template")
        if name not in template.slots:
            detail = "the body has no place of this name"
            faults.append(TemplateFault(field=field, code="not_in_body", detail=detail))
        shortest = variables.SHORTEST[declaration.kind]
        if not shortest <= declaration.max_length <= variables.MAX_LENGTH:
            detail = f"max_length of {declaration.kind} is {shortest} to {variables.MAX_LENGTH}"
            faults.append(TemplateFault(field=field, code="max_length", detail=detail))
        if declaration.hosts is not UNSET and not _are_hosts(declaration):
            detail = "hosts are 1 to 20 lower-case host names of a url, such as acme.com; no public shortener"
            faults.append(TemplateFault(field=f"{field}/hosts", code="hosts", detail=detail))
    return tuple(faults[:FAULTS_LISTED])


def render(
    template: Template, declarations: Mapping[str, Declaration], values: Mapping[str, object]
) -> Rendered | RenderFaults:
    """
    Return the text, or a fault for every value that is missing, surplus or does not fit.

    Args:
        template: As `parse_template` returned it.
        declarations: By name; a variable without one is `text` of at most 40 characters.
        values: JSON scalars by name: strings, or numbers where the kind allows them.
    """
    filled: dict[str, str] = {}
    faults: list[VariableFault] = []
    for name in template.variables:
        if name not in values:
            faults.append(_sender_fault(name, "missing", "the template needs this variable"))
            continue
        outcome = variables.check_value(name, declarations.get(name, DEFAULT), values[name])
        if isinstance(outcome, str):
            filled[name] = outcome
        else:
            faults.append(outcome)
    surplus = sorted(values.keys() - set(template.slots))
    faults += [_sender_fault(name, "surplus", "the template has no such variable") for name in surplus]
    if faults:
        return RenderFaults(faults=tuple(faults[:FAULTS_LISTED]))
    return _lay_out(template, filled)


def worst_case(template: Template, declarations: Mapping[str, Declaration]) -> WorstCase:
    """
    Return a bound that no allowed values exceed.

    A `text` may bring characters outside GSM 03.38, even ones of two UTF-16 units, so it makes the whole
    message UNICODE: never fewer parts than GSM for the same characters. The other kinds are ASCII. Where a
    pair may fall on a part boundary, a part is counted one unit short.
    """
    literal = "".join(template.literals)
    places = [declarations.get(name, DEFAULT) for name in template.slots]
    lengths = [min(place.max_length, variables.LONGEST[place.kind]) for place in places]
    characters = len(literal) + sum(lengths)
    texts = sum(length for place, length in zip(places, lengths, strict=True) if place.kind == "text")
    if texts or alphabet.NOT_GSM.search(literal):
        pairs = len(alphabet.ASTRAL.findall(literal)) + texts
        parts = _parts_at_most(characters, pairs, alphabet.UNICODE_SINGLE_PART, alphabet.UNICODE_MULTI_PART)
        return WorstCase(parts=parts, encoding="UNICODE", characters=characters)
    pairs = len(alphabet.EXTENSION.findall(literal)) + sum(map(_tildes_at_most, places))
    parts = _parts_at_most(characters, pairs, alphabet.GSM_SINGLE_PART, alphabet.GSM_MULTI_PART)
    return WorstCase(parts=parts, encoding="GSM", characters=characters)


def _are_hosts(declaration: Declaration) -> bool:
    names = () if declaration.hosts is UNSET else declaration.hosts
    fit = all(_HOST.fullmatch(name) and not links.is_shortener(name) for name in names)
    return declaration.kind == "url" and 1 <= len(names) <= _MOST_HOSTS and fit


def _take_apart(body: str) -> tuple[Template, list[TemplateFault]]:
    """Split a body at its places; what is wrong with the braces and names comes along."""
    literals, slots, faults = [""], list[str](), list[TemplateFault]()
    end = 0
    for brace in _BRACES.finditer(body):
        literals[-1] += body[end : brace.start()]
        end = brace.end()
        name = brace[1]
        if brace[0] in {"{{", "}}"}:
            literals[-1] += brace[0][0]
        elif name is None:
            detail = f"a lone {brace[0]}; write {brace[0] * 2} for the character itself"
            faults.append(_body_fault("unbalanced_brace", detail, brace.start()))
        elif _NAME.fullmatch(name) is None:
            detail = "a name is a lower-case letter and up to 39 letters, digits and underscores"
            faults.append(_body_fault("bad_name", detail, brace.start()))
        else:
            slots.append(name)
            literals.append("")
    literals[-1] += body[end:]
    if len(slots) > MAX_PLACES:
        detail = f"the body has {len(slots)} places for variables, at most {MAX_PLACES} are allowed"
        faults.append(_body_fault("too_many_variables", detail, None))
    return Template(literals=tuple(literals), slots=tuple(slots)), faults


def _unfit_literals(body: str, template: Template) -> Iterator[TemplateFault]:
    for found in _FORBIDDEN.finditer(body):
        detail = f"{variables.describe(found[0])} cannot be part of a template"
        yield _body_fault("forbidden_character", detail, found.start())
    if any(variables.leans_back(literal) for literal in template.literals if literal):
        detail = "a combining mark cannot stand first or right after a variable"
        yield _body_fault("forbidden_character", detail, None)
    for literal in template.literals:
        word = lookalikes.disguised_word(literal)
        if word is not None:
            yield _body_fault("forbidden_character", _DISGUISE, body.find(word[0]))


def _lay_out(template: Template, filled: Mapping[str, str]) -> Rendered | RenderFaults:
    """Join literals and values; what no value may hold may not arise where they meet either."""
    pieces = [template.literals[0]]
    for name, literal in zip(template.slots, template.literals[1:], strict=True):
        pieces += (filled[name], literal)
    text = "".join(pieces)
    word = lookalikes.disguised_word(text)
    if word is not None:
        name = _slot_at(template, pieces, word)
        return RenderFaults(faults=(_sender_fault(name, "forbidden_character", _DISGUISE),))
    for link in links.links(text):
        if _is_across_a_seam(pieces, link):
            name = _slot_at(template, pieces, link)
            detail = "the value makes a link of its surroundings; a link needs a variable of the kind url"
            return RenderFaults(faults=(_sender_fault(name, "wrong_kind", detail),))
    return Rendered(text=text)


def _is_across_a_seam(pieces: list[str], found: re.Match[str]) -> bool:
    """Whether a find in the joined text begins in one piece and ends in another."""
    seams = accumulate(map(len, pieces))
    return any(found.start() < seam < found.end() for seam in seams)


def _slot_at(template: Template, pieces: list[str], found: re.Match[str]) -> str:
    """Return the first variable whose value takes part in a find in the joined text."""
    seams = list(accumulate(map(len, pieces), initial=0))
    values = zip(template.slots, seams[1::2], seams[2::2], strict=True)
    return next(name for name, start, end in values if start < found.end() and found.start() < end)


def _parts_at_most(characters: int, pairs: int, single: int, multi: int) -> int:
    units = characters + pairs
    if units <= single:
        return 1
    return -(-units // (multi - 1 if pairs else multi))


def _tildes_at_most(place: Declaration) -> int:
    """Only a url can hold a character of two septets, the tilde, and only past its host."""
    if place.kind != "url":
        return 0
    return max(0, min(place.max_length, variables.LONGEST["url"]) - variables.SHORTEST["url"])


def _refused(code: TemplateFaultCode, detail: str) -> TemplateFaults:
    return TemplateFaults(faults=(_body_fault(code, detail, None),))


def _body_fault(code: TemplateFaultCode, detail: str, position: int | None) -> TemplateFault:
    return TemplateFault(field="/body", code=code, detail=detail, position=position)


def _sender_fault(name: str, code: variables.FaultCode, detail: str) -> VariableFault:
    return VariableFault(field=variables.pointer(name), code=code, detail=detail)
