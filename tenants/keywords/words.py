"""
The built-in words, by language. The list grows and nothing is taken from it.

The ten English and French words that stop are those of AWS End User Messaging ("Keywords", user guide), which
are understood everywhere; STOP ALL and REVOKE are the FCC's (47 CFR 64.1200(a)(10)). Words of other languages
count where the language is spoken, since many mean something else elsewhere (DUR, PERU, ALTO).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from tenants.countries.languages import LANGUAGES

BuiltIn = Literal["STOP", "HELP", "JOIN"]
BUILT_IN: Final[tuple[BuiltIn, ...]] = ("STOP", "HELP", "JOIN")
"""In the order in which they win: no other word may hide a STOP."""
EVERYWHERE: Final = "en"
"""The language whose words are understood whatever the country."""

STOP_WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": (
            "STOP", "STOP ALL", "ARRET", "CANCEL", "END", "OPT OUT", "QUIT", "REMOVE", "TD", "UNSUBSCRIBE",
            "REVOKE",
        ),
        "ar": ("إيقاف", "ايقاف", "توقف", "قف", "إلغاء", "الغاء"),
        "bg": ("СТОП", "ОТПИШИ", "ОТКАЗ"),
        "bn": ("বন্ধ", "থামুন"),
        "bs": ("ODJAVA",),
        "cs": ("ODHLÁSIT", "ZRUŠIT", "KONEC"),
        "da": ("AFMELD", "STANDS"),
        "de": ("STOPP", "STOPPEN", "ABMELDEN", "ABBESTELLEN"),
        "el": ("ΣΤΟΠ", "ΔΙΑΓΡΑΦΗ", "ΣΤΑΜΑΤΑ"),
        "es": ("ALTO", "BAJA", "PARAR", "DETENER", "CANCELAR", "SALIR"),
        "et": ("LÕPETA", "PEATA"),
        "fi": ("LOPETA", "PERU", "PERUUTA"),
        "fr": ("ARRÊTER", "ARRÊTEZ", "DÉSABO", "DÉSABONNER", "DÉSINSCRIRE"),
        "he": ("הסר", "עצור", "הפסק"),
        "hi": ("रोकें", "रुकें", "बंद"),
        "hr": ("ODJAVA",),
        "hu": ("LEIRATKOZÁS", "LEIRATKOZOM", "LEÁLLÍT"),
        "id": ("BERHENTI", "BATAL"),
        "it": ("FERMA", "BASTA", "DISISCRIVI", "ANNULLA", "CANCELLA"),
        "ja": ("停止", "配信停止", "解除", "ストップ"),
        "ko": ("수신거부", "중지", "정지", "해지"),
        "lt": ("ATSISAKYTI", "STABDYTI"),
        "lv": ("ATTEIKT", "APTURĒT"),
        "ms": ("BERHENTI", "BATAL"),
        "nb": ("STOPP", "AVSLUTT", "MELD AV"),
        "nl": ("STOPPEN", "AFMELDEN", "UITSCHRIJVEN"),
        "pl": ("WYPISZ", "REZYGNUJĘ", "ZATRZYMAJ"),
        "pt": ("PARAR", "PARE", "SAIR", "CANCELAR", "REMOVER"),
        "ro": ("DEZABONARE", "DEZABONEAZĂ", "OPREȘTE"),
        "ru": ("СТОП", "ОТПИСАТЬСЯ", "ОТПИСКА", "ОТМЕНА"),
        "sk": ("ODHLÁSIŤ", "ZRUŠIŤ", "KONIEC"),
        "sl": ("ODJAVA", "USTAVI"),
        "sr": ("ODJAVA", "СТОП", "ОДЈАВА"),
        "sv": ("STOPP", "AVSLUTA", "AVREGISTRERA"),
        "th": ("หยุด", "ยกเลิก"),
        "tr": ("DUR", "DURDUR", "İPTAL", "RET", "ÇIK"),
        "uk": ("СТОП", "ВІДПИСАТИСЯ", "ВІДПИСКА", "СКАСУВАТИ"),
        "vi": ("DỪNG", "HỦY", "NGỪNG"),
        "zh-Hans": ("停止", "退订", "取消"),
        "zh-Hant": ("停止", "退訂", "取消"),
    }
)  # fmt: skip

HELP_WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": ("HELP", "INFO"),
        "ar": ("مساعدة",),
        "bg": ("ПОМОЩ",),
        "bn": ("সাহায্য",),
        "bs": ("POMOĆ",),
        "cs": ("POMOC",),
        "da": ("HJÆLP",),
        "de": ("HILFE",),
        "el": ("ΒΟΗΘΕΙΑ",),
        "es": ("AYUDA",),
        "et": ("ABI",),
        "fi": ("APUA",),
        "fr": ("AIDE",),
        "he": ("עזרה",),
        "hi": ("मदद", "सहायता"),
        "hr": ("POMOĆ",),
        "hu": ("SEGÍTSÉG",),
        "id": ("BANTUAN",),
        "it": ("AIUTO",),
        "ja": ("ヘルプ", "助けて"),
        "ko": ("도움말", "도움"),
        "lt": ("PAGALBA",),
        "lv": ("PALĪDZĪBA",),
        "ms": ("BANTUAN",),
        "nb": ("HJELP",),
        "nl": ("HULP",),
        "pl": ("POMOC",),
        "pt": ("AJUDA",),
        "ro": ("AJUTOR",),
        "ru": ("ПОМОЩЬ", "СПРАВКА"),
        "sk": ("POMOC",),
        "sl": ("POMOČ",),
        "sr": ("POMOĆ", "ПОМОЋ"),
        "sv": ("HJÄLP",),
        "th": ("ช่วยเหลือ",),
        "tr": ("YARDIM",),
        "uk": ("ДОПОМОГА",),
        "vi": ("TRỢ GIÚP",),
        "zh-Hans": ("帮助",),
        "zh-Hant": ("幫助",),
    }
)

JOIN_WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": ("JOIN", "START", "UNSTOP", "OPT IN"),
        "ar": ("ابدأ", "اشتراك"),
        "de": ("STARTEN", "ANMELDEN"),
        "el": ("ΕΓΓΡΑΦΗ",),
        "es": ("ALTA", "INICIAR"),
        "fr": ("REPRENDRE", "INSCRIRE"),
        "he": ("הצטרף",),
        "hi": ("शुरू",),
        "it": ("INIZIA", "ISCRIVI"),
        "ja": ("開始", "登録"),
        "ko": ("수신동의", "시작"),
        "nl": ("AANMELDEN",),
        "pl": ("ZAPISZ",),
        "pt": ("ENTRAR", "INICIAR"),
        "ru": ("СТАРТ", "ПОДПИСАТЬСЯ"),
        "sv": ("STARTA",),
        "th": ("เริ่ม",),
        "tr": ("BAŞLAT",),
        "uk": ("СТАРТ",),
        "vi": ("BẮT ĐẦU",),
        "zh-Hans": ("开始", "订阅"),
        "zh-Hant": ("開始", "訂閱"),
    }
)

WORDS: Final[Mapping[BuiltIn, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {"STOP": STOP_WORDS, "HELP": HELP_WORDS, "JOIN": JOIN_WORDS}
)
NETWORK_STOPS: Final = frozenset({"stop"})
"""Folded; what the carriers' network itself takes as STOP on a toll-free number."""
NETWORK_STARTS: Final = frozenset({"start", "unstop"})
"""Folded; what lifts the network's block there."""
NETWORK_STOP_TEXT: Final = (
    'NETWORK MSG: You replied with the word "stop" which blocks all texts sent from this number. '
    "Text back unstop or start to receive messages again."
)
"""What the network answers, word for word; nobody can change it."""

_ALSO_SPOKEN: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "AE": ("hi",), "BA": ("hr", "sr"), "BE": ("fr", "de"), "BG": ("tr",), "BY": ("uk",), "CA": ("fr",),
        "CH": ("fr", "it"), "CY": ("tr",), "EE": ("ru",), "FI": ("sv",), "GE": ("ru",), "HK": ("zh-Hans",),
        "IL": ("ar", "ru"), "IN": ("hi", "bn"), "KZ": ("ru",), "LT": ("ru",), "LU": ("fr", "de"),
        "LV": ("ru",), "MD": ("ru",), "ME": ("hr",), "MO": ("pt", "zh-Hans"), "MY": ("zh-Hans",),
        "NG": ("fr",), "PR": ("es",), "RS": ("hr",), "SG": ("zh-Hans", "ms"), "UA": ("ru",), "US": ("es",),
        "XK": ("sr",),
    }
)  # fmt: skip
"""Languages that many read beside the first one."""


def languages_of(*countries: str | None) -> tuple[str, ...]:
    """Return the languages in which words count between two countries; the first one is the likeliest."""
    found: dict[str, None] = {}
    for country in countries:
        if country is not None:
            first = LANGUAGES.get(country)
            found.update(dict.fromkeys(filter(None, (first, *_ALSO_SPOKEN.get(country, ())))))
    return tuple(dict.fromkeys((*found, EVERYWHERE)))
