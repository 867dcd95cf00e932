"""The text that asks a phone to confirm, and the words that do. Pure."""

import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

YES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": ("YES", "Y"),
        "de": ("JA",),
        "es": ("SI", "SÍ"),
        "fr": ("OUI",),
        "it": ("SI", "SÌ"),
        "pt": ("SIM",),
        "nl": ("JA",),
        "sv": ("JA",),
        "da": ("JA",),
        "nb": ("JA",),
        "fi": ("KYLLÄ",),
        "pl": ("TAK",),
        "cs": ("ANO",),
        "tr": ("EVET",),
        "ru": ("ДА",),
        "uk": ("ТАК",),
        "el": ("ΝΑΙ",),
        "ar": ("نعم",),
        "he": ("כן",),
        "hi": ("हाँ", "हां"),
        "ja": ("はい",),
        "ko": ("예", "네"),
        "zh-Hans": ("是",),
        "zh-Hant": ("是",),
    }
)
"""English counts everywhere; the others where the language is spoken. The whole text has to be the word."""
_ASKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "en": "Reply YES to confirm your subscription to {programme}. Message frequency varies. "
        "Msg & data rates may apply. Reply HELP for help, STOP to cancel.",
        "de": "Antworten Sie mit JA, um {programme} zu bestätigen. Häufigkeit variiert. "
        "Es können Kosten für Nachrichten und Daten anfallen. HILFE für Hilfe, STOPP zum Abbestellen.",
        "es": "Responda SI para confirmar su suscripción a {programme}. La frecuencia varía. "
        "Pueden aplicarse tarifas de mensajes y datos. AYUDA para ayuda, ALTO para cancelar.",
        "fr": "Répondez OUI pour confirmer votre inscription à {programme}. Fréquence variable. "
        "Des frais de messages et de données peuvent s'appliquer. AIDE pour l'aide, STOP pour arrêter.",
    }
)
_OR_OPEN: Final[Mapping[str, str]] = MappingProxyType(
    {"en": "Or open {link}", "de": "Oder öffnen Sie {link}", "es": "O abra {link}", "fr": "Ou ouvrez {link}"}
)


def confirmation_text(language: str, *, brand: str, programme: str, link: str | None = None) -> str:
    """Return the one text of a double opt-in, in English where the language has none."""
    known = language if language in _ASKS else "en"
    said = f"{brand}: {_ASKS[known].format(programme=programme)}"
    return said if link is None else f"{said} {_OR_OPEN[known].format(link=link)}"


def is_yes(body: str, languages: Sequence[str]) -> bool:
    """Return whether a text is nothing but a yes in one of the languages; `No` or `Yes but` are none."""
    said = _folded(body)
    return any(said == _folded(word) for language in (*languages, "en") for word in YES.get(language, ()))


def _folded(text: str) -> str:
    letters = (
        c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum() or c.isspace() or _mark(c)
    )
    return " ".join("".join(letters).split())


def _mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
