"""
What STOP, HELP and JOIN answer until the tenant writes something better, and what is wrong with that.

The rules are the carriers' (CTIA Messaging Principles; AWS's best practices for HELP and STOP): a STOP text
names the sender and says that nothing more will come, a HELP text says where a person finds help, a JOIN text
carries the disclosures of the opt-in.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

from tenants.keywords.folding import words_of
from tenants.keywords.words import EVERYWHERE, BuiltIn

MIN_CHARACTERS: Final = 20
MAX_CHARACTERS: Final = 160
BRAND: Final = "{brand}"
"""Stands for the tenant's name in a text."""

DEFAULTS: Final[Mapping[BuiltIn, Mapping[str, str]]] = MappingProxyType(
    {
        "STOP": {
            "en": "{brand}: You are unsubscribed and will receive no more messages. Reply HELP for help.",
            "de": "{brand}: Sie sind abgemeldet und erhalten keine weiteren Nachrichten. Hilfe: HELP",
            "es": "{brand}: Se ha dado de baja y no recibira mas mensajes. Responda AYUDA para ayuda.",
            "fr": "{brand} : vous êtes désabonné et ne recevrez plus de messages. Aide : HELP",
            "it": "{brand}: iscrizione annullata, non riceverai altri messaggi. Aiuto: HELP",
            "nl": "{brand}: u bent afgemeld en ontvangt geen berichten meer. Hulp: HELP",
            "pl": "{brand}: wypisano, nie otrzymasz wiecej wiadomosci. Pomoc: HELP",
            "pt": "{brand}: a sua subscrição foi cancelada; não receberá mais mensagens. Ajuda: HELP",
        },
        "HELP": {
            "en": "{brand}: automated text messages. Msg & data rates may apply. Text STOP to cancel.",
            "de": "{brand}: automatische Textnachrichten. Es gelten die Preise Ihres Tarifs. Abmelden: STOP",
            "es": "{brand}: mensajes automaticos. Pueden aplicarse tarifas de mensajes y datos. Baja: STOP",
            "fr": "{brand} : messages automatiques. Tarif de votre opérateur. Pour arrêter : STOP",
            "it": "{brand}: messaggi automatici. Si applicano le tariffe del tuo piano. Per annullare: STOP",
            "nl": "{brand}: automatische berichten. Kosten volgens uw abonnement. Afmelden: STOP",
            "pl": "{brand}: wiadomosci automatyczne. Oplata wedlug taryfy operatora. Rezygnacja: STOP",
            "pt": "{brand}: mensagens automáticas. Aplicam-se as tarifas do seu plano. Cancelar: STOP",
        },
        "JOIN": {
            "en": (
                "{brand}: you are subscribed. Message frequency varies. Msg & data rates may apply. "
                "Reply HELP for help, STOP to cancel."
            ),
            "de": "{brand}: Sie sind angemeldet. Es gelten die Preise Ihres Tarifs. Hilfe: HELP, Ende: STOP",
            "es": "{brand}: se ha suscrito. Pueden aplicarse tarifas de mensajes. Ayuda: AYUDA. Baja: STOP",
            "fr": "{brand} : vous êtes abonné. Tarif de votre opérateur. Aide : HELP. Arrêt : STOP",
            "it": "{brand}: sei iscritto. Si applicano le tariffe del tuo piano. Aiuto: HELP. Annulla: STOP",
            "nl": "{brand}: u bent aangemeld. Kosten volgens uw abonnement. Hulp: HELP. Afmelden: STOP",
            "pl": "{brand}: zapisano. Oplata wedlug taryfy operatora. Pomoc: HELP. Rezygnacja: STOP",
            "pt": "{brand}: está subscrito. Aplicam-se as tarifas do seu plano. Ajuda: HELP. Cancelar: STOP",
        },
    }
)

Severity = Literal["error", "notice"]
_CONTACT: Final = re.compile(
    r"[\w.+-]+@[\w-]+\.[a-z]{2,}|\b[\w-]+\.[a-z]{2,}\b|\+?\d[\d ().-]{6,}\d", re.IGNORECASE
)
_RATES: Final = re.compile(r"(msg|message)s?\s*(&|and)\s*data\s+rates\s+may\s+apply", re.IGNORECASE)
_NO_MORE: Final = re.compile(
    r"\bno\s+(more|further|longer)\b|\bunsubscribed\b|\bopted\s+out\b", re.IGNORECASE
)
_FREQUENCY: Final = re.compile(
    r"frequency|recurring|/\s*(day|week|month)|per\s+(day|week|month|\w+)", re.IGNORECASE
)


class TextFinding(Struct, frozen=True, kw_only=True):
    """What is wrong with a text; an `error` is refused, a `notice` is for its author."""

    code: str
    severity: Severity
    detail: str


def filled(text: str, brand: str) -> str:
    """Return a text as it is sent."""
    return text.replace(BRAND, brand)


def chosen(keyword: BuiltIn, language: str | None, own: Mapping[tuple[str, str], str]) -> str:
    """
    Return what a built-in keyword answers a person who reads a language.

    Args:
        own: The tenant's texts by keyword and language; the empty language is its text for everybody.
    """
    wanted = language or EVERYWHERE
    for found in (own.get((keyword, wanted)), own.get((keyword, ""))):
        if found is not None:
            return found
    defaults = DEFAULTS[keyword]
    return defaults.get(wanted, defaults[EVERYWHERE])


def findings(keyword: BuiltIn, text: str, *, brands: tuple[str, ...], language: str) -> list[TextFinding]:
    """
    Return what the carriers would object to in a tenant's text for a built-in keyword.

    The wordings that they ask for are English; other languages are held to length, brand and contact.
    """
    return [*_of_any(keyword, text, brands), *(_of_english(keyword, text) if language in {"", "en"} else ())]


def _of_any(keyword: BuiltIn, text: str, brands: tuple[str, ...]) -> Iterator[TextFinding]:
    length = len(filled(text, brands[0] if brands else ""))
    if not MIN_CHARACTERS <= length <= MAX_CHARACTERS:
        detail = f"the text has {length} characters; carriers take {MIN_CHARACTERS} to {MAX_CHARACTERS}"
        yield TextFinding(code="length", severity="error", detail=detail)
    if not _names_one(text, brands):
        detail = f"the text does not say who sends it: name {brands[0] if brands else 'the brand'} or {BRAND}"
        yield TextFinding(code="brand_missing", severity="error", detail=detail)
    if keyword == "HELP" and _CONTACT.search(text) is None:
        detail = "10DLC and short codes need a phone number, an e-mail address or a site in the HELP text"
        yield TextFinding(code="contact_missing", severity="notice", detail=detail)


def _of_english(keyword: BuiltIn, text: str) -> Iterator[TextFinding]:
    words = words_of(text)
    if keyword == "STOP" and _NO_MORE.search(text) is None:
        detail = (
            'the text does not confirm that nothing more is sent, such as "no more messages will be sent"'
        )
        yield TextFinding(code="end_not_confirmed", severity="error", detail=detail)
    if keyword != "STOP" and "stop" not in words:
        detail = "the text does not say how to opt out, such as: Text STOP to cancel"
        yield TextFinding(code="stop_hint_missing", severity="error", detail=detail)
    if keyword != "STOP" and _RATES.search(text) is None:
        detail = 'the text lacks "Msg & data rates may apply", which carriers in the United States ask for'
        yield TextFinding(code="rates_missing", severity="notice", detail=detail)
    if keyword == "JOIN" and _FREQUENCY.search(text) is None:
        detail = 'the text does not say how often messages come, such as "Message frequency varies"'
        yield TextFinding(code="frequency_missing", severity="notice", detail=detail)
    if keyword == "JOIN" and "help" not in words:
        detail = "the text does not say how to get help, such as: Reply HELP for help"
        yield TextFinding(code="help_hint_missing", severity="notice", detail=detail)


def _names_one(text: str, brands: tuple[str, ...]) -> bool:
    if BRAND in text:
        return True
    present = f" {' '.join(words_of(text))} "
    return any(f" {' '.join(words_of(brand))} " in present for brand in brands if words_of(brand))
