"""
The words that people read before they agree, and the check that nothing is missing. Pure.

The elements are those that carriers ask for at the point of opt-in (AWS End User Messaging user guide,
"Obtain proper opt-in"): who, what, how often, what it costs, how to stop, who helps, and both links.
"""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from tenants.pages.phrases import PHRASES
from tenants.pages.settings import Language, PageProgramme, PageSettings

RATES: Final = "message and data rates may apply"
"""Verbatim; other languages carry it beside their own words."""


class Links(Struct, frozen=True, kw_only=True):
    """Where the pages are."""

    terms: str
    privacy: str
    preferences: str
    opt_in: str


def links_of(public_url: str, slug: str) -> Links:
    """Return the addresses of a tenant's pages."""
    home = f"{public_url}/p/{slug}"
    return Links(
        terms=f"{home}/terms",
        privacy=f"{home}/privacy",
        preferences=f"{home}/preferences",
        opt_in=f"{home}/opt-in",
    )


def disclosure(
    settings: PageSettings,
    programme: PageProgramme,
    links: Links,
    language: Language,
    *,
    marked: Callable[[str], str] = str,
) -> str:
    """
    Return all that a person is told of one programme; what the consent ledger keeps.

    Args:
        marked: What is done to the tenant's own words inside of the sentences.
    """
    said = PHRASES[language]
    own = {"brand": settings.brand, "name": programme.name, "purpose": programme.purpose.rstrip(". ")}
    values = {name: marked(words) for name, words in own.items()}
    frequency = said["frequency"] if programme.frequency is None else marked(programme.frequency.rstrip(". "))
    care = {"email": settings.support_email, "phone": settings.support_phone}
    sentences = (
        filled(said["agree"], values).rstrip("."),
        frequency,
        said["rates"],
        filled(said["stop"], care),
        said["optional"],
    )
    whole = " ".join(f"{each}." for each in sentences)
    return f"{whole} {said['terms']}: {links.terms} {said['privacy']}: {links.privacy}"


def missing(text: str, settings: PageSettings, programme: PageProgramme, links: Links) -> list[str]:
    """Return which elements a text lacks; empty for a complete one."""
    folded = text.casefold()
    wanted: Mapping[str, tuple[str, ...]] = {
        "brand": (settings.brand,),
        "programme": (programme.name,),
        "purpose": (programme.purpose.rstrip(". "),),
        "frequency": (programme.frequency or "", *(each["frequency"] for each in PHRASES.values())),
        "rates": (RATES,),
        "opt_out": ("STOP",),
        "help": ("HELP",),
        "care_contact": (settings.support_email, settings.support_phone),
        "terms_link": (links.terms,),
        "privacy_link": (links.privacy,),
        "optional": tuple(each["optional"] for each in PHRASES.values()),
    }
    return [
        name
        for name, ways in wanted.items()
        if not any(way and way.rstrip(". ").casefold() in folded for way in ways)
    ]


def filled(phrase: str, values: Mapping[str, str]) -> str:
    """Return a phrase with its values, each put in once: a brand with braces stays a brand."""
    for name, value in values.items():
        phrase = phrase.replace("{" + name + "}", value.replace("{", "(").replace("}", ")"))
    return phrase
