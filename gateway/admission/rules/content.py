"""
Is the text one that carriers carry (F-CONTENT)?

Free text is screened by the lists of the templates' linter, as a reader would see it: look-alike letters,
marks, invisible characters and digits in the place of letters change nothing. Words say little about a
sentence, so by default only what is never carried is refused; the plan can refuse more.
"""

import re
from types import MappingProxyType
from typing import Final

from gateway.admission.rules.ports import Closed, Open, RuleVerdict, SendFacts
from tenants.templates.country_rules import TRANSACTIONAL_ONLY
from tenants.templates.folding import fold, respelt
from tenants.templates.links import hosts, is_shortener
from tenants.templates.restricted import TELLTALES, classes_in

NEVER_CARRIED: Final = MappingProxyType(
    {
        "gambling": frozenset({"AE", "BD", "ID", "IN", "KW", "MY", "OM", "PK", "QA", "SA", "SG", "TH", "US"}),
        "alcohol, tobacco and firearms": frozenset({"AE", "BD", "IN", "KW", "OM", "PK", "QA", "SA"}),
        "adult content": frozenset(
            {"AE", "BD", "CA", "ID", "IN", "KW", "MY", "OM", "PK", "QA", "SA", "SG", "TH", "TR", "US"}
        ),
        "loans and credit": frozenset({"US"}),
        "get rich quick": frozenset({"CA", "US"}),
    }
)
"""
Countries in which a class that others restrict is carried for nobody: in the United States and Canada
by AWS's list of prohibited content and the carriers' codes of conduct, elsewhere because the law forbids to
advertise it.
"""
_WORD: Final = re.compile(r"\w+")
_DOT_INSIDE: Final = re.compile(r"\.\S")
_WORDS_ALONE: Final = bytes(each if _WORD.match(chr(each)) else ord(" ") for each in range(256))
"""Turns what stands between the words of an ASCII text into blanks; a table of bytes, which C walks."""


def content_is_carried(facts: SendFacts) -> RuleVerdict:
    """Refuse shorteners and prohibited content in free text, and promotion where none may be sent."""
    country = facts.number.country
    if facts.message_type == "promotional" and country in TRANSACTIONAL_ONLY:
        return _closed(f"promotional messages may not be sent to {country}", field=None)
    if facts.from_template:
        return _SCREENED_BEFORE
    if facts.screen == "off":
        return _NOT_SCREENED
    fault = _fault(fold(facts.text), country, strict=facts.screen == "restricted")
    return _NOTHING_FOUND if fault is None else _closed(fault)


_SCREENED_BEFORE: Final = Open(note="the template was screened at its approval")
_NOT_SCREENED: Final = Open(note="free text is not screened for this tenant")
_NOTHING_FOUND: Final = Open(note="no shortener and none of the listed words is in the text")


def _fault(folded: str, country: str, *, strict: bool) -> str | None:
    if (shortener := _shortener(folded)) is not None:
        return f"{shortener} is a public link shortener, which carriers filter; link to your own domain"
    found = _listed(folded, country, strict=strict)
    if found is None and (plain := respelt(folded)) is not None:
        return _listed(plain, country, strict=strict)
    return found


def _shortener(folded: str) -> str | None:
    if _DOT_INSIDE.search(folded) is None:
        return None
    # A host is searched for in words with a dot only: the search costs more than all else here together.
    named = (host.name for word in folded.split() if "." in word[:-1] for host in hosts(word))
    return next(filter(is_shortener, named), None)


def _listed(folded: str, country: str, *, strict: bool) -> str | None:
    if TELLTALES.isdisjoint(_words(folded)):
        return None
    for each, word in classes_in(folded):
        if each.prohibited or country in NEVER_CARRIED.get(each.name, ()):
            return f"`{word}` reads like {each.name}, which carriers do not carry to {country}"
        if strict:
            return f"`{word}` reads like {each.name}, which needs a template that the operator has approved"
    return None


def _words(folded: str) -> list[str]:
    if not folded.isascii():
        return _WORD.findall(folded)
    return folded.encode("ascii").translate(_WORDS_ALONE).decode("ascii").split()


def _closed(detail: str, field: str | None = "/body") -> Closed:
    return Closed(code="content_refused", detail=detail, field=field)
