"""
What carriers do not carry, or only under conditions, as words that give it away.

From the lists of prohibited and restricted content in AWS's registration guides and the CTIA's Messaging
Principles. A word says little about a sentence, so most findings send the text to a person; hate speech and
phishing cannot be told by words at all and are the operator's to judge.
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct


class ContentClass(Struct, frozen=True, kw_only=True):
    """One kind of content and the words by which it is known."""

    name: str
    words: re.Pattern[str]
    prohibited: bool
    """Carried nowhere in the countries at hand; otherwise a person decides."""


_PHRASES: Final[list[str]] = []


def _words(text: str) -> re.Pattern[str]:
    phrases = text.split(", ")
    _PHRASES.extend(phrases)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases))})\b", re.IGNORECASE)


CLASSES: Final = (
    ContentClass(
        name="cannabis",
        words=_words(
            "cannabis, marijuana, thc gummies, thc vape, weed delivery, cbd oil, cbd gummies, kratom"
        ),
        prohibited=True,
    ),
    ContentClass(
        name="debt collection for others",
        words=_words("debt collector, debt collection agency, collection agency, your debt was sold to us"),
        prohibited=True,
    ),
    ContentClass(
        name="gambling",
        words=_words(
            "casino, slot machine, free spins, sportsbook, betting, place your bet, jackpot, poker, lottery, "
            "casino bonus, wetten, apuestas, scommesse, paris sportifs"
        ),
        prohibited=False,
    ),
    ContentClass(
        name="loans and credit",
        words=_words(
            "payday loan, cash advance, instant loan, loan approved, pre-approved loan, credit repair, "
            "debt relief, debt consolidation, student loan forgiveness"
        ),
        prohibited=False,
    ),
    ContentClass(
        name="alcohol, tobacco and firearms",
        words=_words(
            "whisky, whiskey, vodka, liquor, beer, wine tasting, vape, e-cigarette, tobacco, ammo, firearm"
        ),
        prohibited=False,
    ),
    ContentClass(
        name="adult content",
        words=_words("xxx, porn, escort service, hookup, nudes, onlyfans, sexting"),
        prohibited=False,
    ),
    ContentClass(
        name="get rich quick",
        words=_words(
            "work from home, double your money, guaranteed returns, risk-free investment, get rich, "
            "crypto giveaway"
        ),
        prohibited=False,
    ),
    ContentClass(
        name="sweepstakes",
        words=_words(
            "you have won, you've won, claim your prize, free gift card, sweepstake, sweepstakes, "
            "lucky winner"
        ),
        prohibited=False,
    ),
    ContentClass(
        name="political campaigns",
        words=_words("vote for, your vote counts, donate to our campaign, elect, re-elect"),
        prohibited=False,
    ),
)

_USUAL_WORDS: Final = frozenset({"you", "your", "have", "from", "with"})
TELLTALES: Final = frozenset(
    max(set(re.findall(r"\w+", phrase)) - _USUAL_WORDS, key=lambda word: (len(word), word))
    for phrase in _PHRASES
)
"""Of each phrase the word that is rarest elsewhere: a text with none of them has no phrase, either."""

PROMOTIONAL: Final = _words(
    "sale, discount, special offer, limited offer, limited time, promo code, coupon, buy now, shop now, "
    "free gift, best price, clearance, deal of the day, rabatt, angebot, gutschein, oferta, descuento, "
    "cupon, promotion, soldes, remise, sconto, offerta, korting, desconto"
)
"""What makes a message promotional, whatever its type says."""


def classes_in(text: str) -> Iterator[tuple[ContentClass, str]]:
    """Yield each class of which a word stands in the text, with the word."""
    for each in CLASSES:
        found = each.words.search(text)
        if found is not None:
            yield each, found[0]
