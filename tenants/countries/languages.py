"""
The language in which most people of a country read, where there is one such language.

After CLDR's territory information (https://cldr.unicode.org, supplemental/territoryInfo): the official
language that most of the population reads. Countries where that is open (India, Nigeria, South Africa…) have
no entry: there a template's own body is the better guess.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_COUNTRIES: Final = {
    "ar": "AE BH DZ EG IQ JO KW LB LY MA MR OM PS QA SA SD SY TN YE",
    "az": "AZ",
    "bg": "BG",
    "bn": "BD",
    "bs": "BA",
    "cs": "CZ",
    "da": "DK GL",
    "de": "AT CH DE LI",
    "el": "CY GR",
    "en": "AG AI AU BB BM BS CA DM FJ GB GD GG GI GU GY IE IM JE JM KN KY LC MS NZ SG TC TT US VC VG VI",
    "es": "AR BO CL CO CR CU DO EC ES GT HN MX NI PA PE PR PY SV UY VE",
    "et": "EE",
    "fi": "FI",
    "fr": "BF BJ CD CF CG CI CM FR GA GF GN GP MC MQ NC PF RE SN TG",
    "he": "IL",
    "hr": "HR",
    "hu": "HU",
    "hy": "AM",
    "id": "ID",
    "is": "IS",
    "it": "IT SM",
    "ja": "JP",
    "ka": "GE",
    "km": "KH",
    "ko": "KR",
    "lo": "LA",
    "lt": "LT",
    "lv": "LV",
    "mk": "MK",
    "mn": "MN",
    "ms": "BN MY",
    "nb": "NO",
    "ne": "NP",
    "nl": "BE NL SR",
    "pl": "PL",
    "pt": "AO BR CV MZ PT ST",
    "ro": "MD RO",
    "ru": "BY RU",
    "sk": "SK",
    "sl": "SI",
    "sq": "AL XK",
    "sr": "ME RS",
    "sv": "SE",
    "th": "TH",
    "tr": "TR",
    "uk": "UA",
    "uz": "UZ",
    "vi": "VN",
    "zh-Hans": "CN",
    "zh-Hant": "HK MO TW",
}

LANGUAGES: Final[Mapping[str, str]] = MappingProxyType(
    {country: language for language, countries in _COUNTRIES.items() for country in countries.split()}
)
"""ISO 3166-1 alpha-2 to a BCP 47 tag."""
