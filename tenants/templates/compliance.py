"""
The compliance linter: what an approver would object to, found by rule. Pure.

`error` cannot be submitted, `review` needs the operator's eye, `notice` is for the author. A version without
errors and reviews is approved at once where the plan says so.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final, Literal

from msgspec import UNSET, Struct

from tenants.templates import alphabet, country_rules, links, restricted
from tenants.templates.authoring import Wording, parsed
from tenants.templates.rendering import Template, worst_case

Severity = Literal["error", "review", "notice"]
FindingCode = Literal[
    "brand_missing",
    "opt_out_missing",
    "otp_without_code",
    "code_unbounded",
    "code_not_digits",
    "link_in_otp",
    "shortener",
    "link_to_anywhere",
    "link_runs_on",
    "promotional_words",
    "promotion_forbidden",
    "template_id_needed",
    "prohibited_content",
    "restricted_content",
    "says_anything",
    "compatibility_characters",
    "not_gsm",
    "several_parts",
    "too_long",
]

_ONE_TIME_CODE_MAX: Final = 12
_LEAST_LITERAL_LETTERS: Final = 12
_LEAST_LITERAL_SHARE: Final = 0.25
_SEVERAL_PARTS: Final = 3
_LONGEST: Final = {"GSM": 1530, "UNICODE": 630}
"""Characters of ten parts: what AWS takes in one message, by encoding."""
_LEGAL_FORMS: Final = frozenset(
    {
        "the", "inc", "ltd", "llc", "llp", "gmbh", "ag", "sa", "sas", "sarl", "plc", "co", "corp",
        "corporation", "company", "limited", "bv", "nv", "srl", "spa", "oy", "ab", "as", "aps", "kk", "pty",
        "kg", "ug", "se", "group", "holding", "holdings"
    }
)  # fmt: skip
_BRAND_MIN: Final = 3
_ORDINARY_FORMS: Final = frozenset("\u00aa\u00ba\u00b9\u00b2\u00b3")
"""Ordinals of the Romance languages, and powers."""
_OPEN_END: Final = re.compile(r"(?:://|\bwww\.|\w\.)[\w.-]*\w\Z", re.IGNORECASE)


class Finding(Struct, frozen=True, kw_only=True):
    """One thing about a wording, and what to do about it."""

    code: FindingCode
    severity: Severity
    detail: str
    fix: str
    locale: str | None = None
    """The variant it is about; None for the body, or for the template as a whole."""


class Audience(Struct, frozen=True, kw_only=True):
    """Whose template it is and where it goes."""

    brands: tuple[str, ...]
    """Names by which the recipients know the sender; one of them has to be in the text."""
    countries: frozenset[str]
    """Where the tenant may send; the wording's own countries narrow it."""


def lint(wording: Wording, audience: Audience) -> tuple[Finding, ...]:
    """
    Return what there is to say about a wording, the worst first.

    Args:
        wording: As `authoring.check_wording` returned it.
    """
    countries = frozenset(wording.countries) or audience.countries
    found = list(_of_the_whole(wording, countries))
    for locale, template in parsed(wording):
        literal = _Literal(wording, audience.brands, countries, template, locale)
        for rule in _RULES:
            found.extend(rule(literal))
    ranks: dict[Severity, int] = {"error": 0, "review": 1, "notice": 2}
    return tuple(sorted(found, key=lambda each: ranks[each.severity]))


def needs_a_person(findings: Iterable[Finding]) -> bool:
    """Whether the linter may not approve this by itself."""
    return any(each.severity != "notice" for each in findings)


class _Literal:
    """The fixed text of one variant, and what the rules hold it against."""

    def __init__(
        self,
        wording: Wording,
        brands: tuple[str, ...],
        countries: frozenset[str],
        template: Template,
        locale: str | None,
    ) -> None:
        self.wording = wording
        self.brands = brands
        self.countries = countries
        self.template = template
        self.locale = locale
        self.text = "".join(template.literals)
        self.spaced = " ".join(template.literals)
        """With a blank for each value, so that no word arises that is not there."""

    def found(self, code: FindingCode, severity: Severity, detail: str, fix: str) -> Finding:
        return Finding(code=code, severity=severity, detail=detail, fix=fix, locale=self.locale)


def _of_the_whole(wording: Wording, countries: frozenset[str]) -> Iterator[Finding]:
    forbidding = sorted(countries & country_rules.TRANSACTIONAL_ONLY)
    if wording.type == "promotional" and forbidding:
        yield Finding(
            code="promotion_forbidden",
            severity="error",
            detail=f"promotional messages may not go to {', '.join(forbidding)}",
            fix="leave the country out of `countries`",
        )
    registering = sorted(countries & country_rules.TEMPLATE_IDS)
    if registering:
        yield Finding(
            code="template_id_needed",
            severity="notice",
            detail=f"{', '.join(registering)} wants the wording registered and its id in each send",
            fix="register the text on a DLT portal and give `country_parameters`",
        )
    for name, declaration in wording.variables.items():
        if declaration.kind == "url" and declaration.hosts is UNSET:
            yield Finding(
                code="link_to_anywhere",
                severity="review",
                detail=f"the variable {name} may link to any host",
                fix=f'declare its hosts, as in {{"{name}": {{"kind": "url", "hosts": ["acme.com"]}}}}',
            )


def _brand(literal: "_Literal") -> Iterator[Finding]:
    if not any(_names(literal.spaced, brand) for brand in literal.brands):
        yield literal.found(
            "brand_missing",
            "review",
            "the fixed text does not say who sends it",
            "begin with the brand, as in `Acme: …`; a variable does not count",
        )


def _opt_out(literal: "_Literal") -> Iterator[Finding]:
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


def _one_time_code(literal: "_Literal") -> Iterator[Finding]:
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


def _links(literal: "_Literal") -> Iterator[Finding]:
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


def _content(literal: "_Literal") -> Iterator[Finding]:
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


def _fixed_share(literal: "_Literal") -> Iterator[Finding]:
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


def _length(literal: "_Literal") -> Iterator[Finding]:
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


def _characters(literal: "_Literal") -> Iterator[Finding]:
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


def _names(text: str, brand: str) -> bool:
    """Whether a text has the brand, less its legal form, or its first word if that is telling."""
    words, present = _tokens(brand), f" {' '.join(_tokens(text))} "
    telling = [word for word in words if word not in _LEGAL_FORMS] or words
    if not telling:
        return False
    first = telling[0] if len(telling[0]) >= _BRAND_MIN else " ".join(telling)
    return f" {' '.join(telling)} " in present or f" {first} " in present


def _tokens(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("\u2019", "")
    return re.findall(r"\w+", plain)


def _is_compatibility_form(character: str) -> bool:
    plain = unicodedata.normalize("NFKC", character)
    is_form = not character.isascii() and character.isalnum() and plain.isascii() and plain.isalnum()
    return is_form and character not in _ORDINARY_FORMS


_RULES: Final = (
    _brand,
    _opt_out,
    _one_time_code,
    _links,
    _content,
    _fixed_share,
    _length,
    _characters,
)
