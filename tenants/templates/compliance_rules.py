"""The linter's rules, each about the fixed text of one language. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from tenants.templates import alphabet, country_rules, links, restricted
from tenants.templates.brands import names_brand
from tenants.templates.findings import Finding, FixedText
from tenants.templates.rendering import worst_case

_ONE_TIME_CODE_MAX: Final = 12
_LEAST_LITERAL_LETTERS: Final = 12
_LEAST_LITERAL_SHARE: Final = 0.25
_SEVERAL_PARTS: Final = 3
_LONGEST: Final = {"GSM": 1530, "UNICODE": 630}
"""Characters of ten parts: what AWS takes in one message, by encoding."""
_ORDINARY_FORMS: Final = frozenset("\u00aa\u00ba\u00b9\u00b2\u00b3")
"""Ordinals of the Romance languages, and powers."""
_OPEN_END: Final = re.compile(r"(?:://|\bwww\.|\w\.)[\w.-]*\w\Z", re.IGNORECASE)


def _brand(literal: FixedText) -> Iterator[Finding]:
    if not any(names_brand(literal.spaced, brand) for brand in literal.brands):
        yield literal.found(
            "brand_missing",
            "review",
            "the fixed text does not say who sends it",
            "begin with the brand, as in `Acme: …`; a variable does not count",
        )


def _opt_out(literal: FixedText) -> Iterator[Finding]:
    asking = sorted(literal.countries & country_rules.OPT_OUT_NAMED)
    if (
        literal.wording.type == "promotional"
        and asking
        and country_rules.OPT_OUT_HINT.search(literal.spaced) is None
    ):
        yield literal.found(
            "opt_out_missing",
            "review",
            f"a promotional text to {', '.join(asking[:5])} has to say how to stop it",
            "end with `Reply STOP to opt out`",
        )


def _one_time_code(literal: FixedText) -> Iterator[Finding]:
    if literal.wording.type != "otp":
        return
    places = {name: literal.wording.variables[name] for name in literal.template.variables}
    codes = [place for place in places.values() if place.kind in {"digits", "text"}]
    short = [place for place in codes if place.max_length <= _ONE_TIME_CODE_MAX]
    if not codes:
        yield literal.found(
            "otp_without_code",
            "error",
            "an otp template has a place for its code, and this one has none",
            'write one and declare it, as in {"code": {"kind": "digits", "max_length": 6}}',
        )
    elif not short:
        yield literal.found(
            "code_unbounded",
            "review",
            f"no place is of at most {_ONE_TIME_CODE_MAX} characters, as a code is",
            'declare it, as in {"code": {"kind": "digits", "max_length": 6}}',
        )
    elif all(place.kind == "text" for place in short):
        yield literal.found(
            "code_not_digits",
            "notice",
            "the code may be any text",
            'where codes are numbers, declare {"kind": "digits"}',
        )
    if links.has_link(literal.text) or any(place.kind == "url" for place in places.values()):
        yield literal.found(
            "link_in_otp",
            "review",
            "one-time codes beside links train people for phishing, and carriers filter them",
            "leave the link out",
        )


def _links(literal: FixedText) -> Iterator[Finding]:
    for host in links.hosts(literal.text):
        if links.is_shortener(host.name):
            yield literal.found(
                "shortener",
                "error",
                f"{host.name} is a public link shortener; carriers filter it",
                "link to a domain of the brand's own",
            )
    for name, before in zip(literal.template.slots, literal.template.literals, strict=False):
        if literal.wording.variables[name].kind == "text" and _OPEN_END.search(before):
            yield literal.found(
                "link_runs_on",
                "review",
                f"the value of {name} continues a host name, so it chooses where the link leads",
                f"put a `/` before the place, or make {name} a url with hosts",
            )


def _content(literal: FixedText) -> Iterator[Finding]:
    for each, word in restricted.classes_in(literal.spaced):
        yield literal.found(
            "prohibited_content" if each.prohibited else "restricted_content",
            "error" if each.prohibited else "review",
            f"`{word}` reads like {each.name}",
            "carriers do not carry it; leave it out" if each.prohibited else "the operator has to look at it",
        )
    promotional = restricted.PROMOTIONAL.search(literal.spaced)
    if literal.wording.type != "promotional" and promotional is not None:
        yield literal.found(
            "promotional_words",
            "review",
            f"`{promotional[0]}` makes the message promotional",
            "choose the type promotional, or leave the offer out",
        )


def _fixed_share(literal: FixedText) -> Iterator[Finding]:
    texts = [literal.wording.variables[name] for name in literal.template.slots]
    open_length = sum(place.max_length for place in texts if place.kind == "text")
    letters = sum(map(str.isalnum, literal.text))
    if open_length and (
        letters < _LEAST_LITERAL_LETTERS or letters < _LEAST_LITERAL_SHARE * (letters + open_length)
    ):
        yield literal.found(
            "says_anything",
            "review",
            f"{letters} fixed characters stand beside up to {open_length} of free text",
            "say more in the body, declare kinds, or lower `max_length`",
        )


def _length(literal: FixedText) -> Iterator[Finding]:
    worst = worst_case(literal.template, literal.wording.variables)
    if worst.characters > _LONGEST[worst.encoding]:
        yield literal.found(
            "too_long",
            "review",
            f"allowed values can make {worst.characters} characters, more than AWS takes",
            "lower `max_length`; such sends are refused with body_too_long",
        )
    elif worst.parts > _SEVERAL_PARTS:
        yield literal.found(
            "several_parts",
            "notice",
            f"allowed values can make {worst.parts} message parts, each of which is paid",
            "shorten the body, or lower `max_length`",
        )


def _characters(literal: FixedText) -> Iterator[Finding]:
    odd = sorted({each for each in literal.text if _is_compatibility_form(each)})
    if odd:
        yield literal.found(
            "compatibility_characters",
            "review",
            f"{' '.join(odd[:5])} are forms of plain letters that filters take for disguise",
            "write the plain letters",
        )
    foreign = sorted({each for each in literal.text if alphabet.NOT_GSM.match(each)})
    if foreign:
        yield literal.found(
            "not_gsm",
            "notice",
            f"{' '.join(foreign[:5])} are not in GSM 03.38, so a part holds 70 characters instead of 160",
            "POST /v1/messages/estimate suggests other characters",
        )


def _is_compatibility_form(character: str) -> bool:
    plain = unicodedata.normalize("NFKC", character)
    is_form = not character.isascii() and character.isalnum() and plain.isascii() and plain.isalnum()
    return is_form and character not in _ORDINARY_FORMS


RULES: Final = (
    _brand,
    _opt_out,
    _one_time_code,
    _links,
    _content,
    _fixed_share,
    _length,
    _characters,
)
