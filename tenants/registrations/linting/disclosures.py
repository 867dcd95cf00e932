"""What a person must be told: at the opt-in, in the terms, and in the privacy policy. Pure."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from tenants.registrations.linting.draft import Draft, Finding
from tenants.templates.brands import names_brand

RATES: Final = re.compile(r"\b(?:message|msg)\s*(?:and|&)\s*data\s*rates?\s*may\s*apply", re.IGNORECASE)
FREQUENCY: Final = re.compile(
    r"frequenc|\b(?:one|two|\d+|up to \w+)(?:\s*(?:-|to)\s*\d+)?\s+(?:recurring\s+)?"
    r"(?:messages?|msgs?|texts?|code)"
    r"\s*(?:per|a|each|/|every)|(?:messages?|msgs?|texts?)\s*(?:per|/)\s*(?:day|week|month|login|request|order)"
    r"|recurring|once (?:a|per) \w+|daily|weekly|monthly",
    re.IGNORECASE,
)
STOP: Final = re.compile(r"\bSTOP\b|\bopt[ -]?out\b|unsubscribe", re.IGNORECASE)
HELP: Final = re.compile(r"\bHELP\b", re.IGNORECASE)
CONTACT: Final = re.compile(
    r"[\w.+-]+@[\w-]+\.\w|\+?\d[\d ()./-]{6,}\d|\bhelp\b|customer care|support", re.IGNORECASE
)
REACH: Final = re.compile(
    r"[\w.+-]+@[\w-]+\.\w|\+?\d[\d ()./-]{6,}\d"
    r"|\b[\w-]+\.(?:com|org|net|io|co|[a-z]{2})\b",
    re.IGNORECASE,
)
_TERMS: Final = re.compile(r"\bterms\b|t&c", re.IGNORECASE)
_PRIVACY: Final = re.compile(r"\bprivacy\b", re.IGNORECASE)
_PURPOSE: Final = re.compile(
    r"receive|get\b|sends?\b|sent\b|text(?:s|ed)? (?:you|me)|messages? (?:about|for|with)|alerts?\b|codes?\b"
    r"|reminders?\b|notifications?\b|offers?\b|updates?\b",
    re.IGNORECASE,
)
_TICKED: Final = re.compile(
    r"(?:pre-?(?:checked|ticked|selected|filled)|checked by default"
    r"|ticked by default|selected by default|opted in by default"
    r"|automatically (?:opted|enrolled|subscribed))",
    re.IGNORECASE,
)
_BUNDLED: Final = re.compile(
    r"\b(?:one|single|same) (?:check ?box|tick ?box|box|consent) (?:for|covers?|to) "
    r"(?:all|every|both|everything)"
    r"|by (?:accepting|agreeing to) (?:the|our) terms[^.]{0,40}(?:consent|agree) to (?:receive )?"
    r"(?:texts?|messages?|sms)",
    re.IGNORECASE,
)
_BOUGHT: Final = re.compile(
    r"\b(?:purchased?|bought|rented|third[- ]party|partner) "
    r"(?:lists?|leads?|data|numbers)",
    re.IGNORECASE,
)
_LOGIN: Final = re.compile(
    r"\b(?:behind|after|requires?|needs?) (?:a |the |you )?(?:log ?in|login|sign[- ]?in|password)",
    re.IGNORECASE,
)
_SHOWN: Final = re.compile(r"https?://\S+\.(?:png|jpe?g|pdf)|screenshot", re.IGNORECASE)
_SHARES: Final = re.compile(
    r"\b(?:shares?|sells?|rents?|discloses?|transfers?|provides?)\b[^.]{0,80}"
    r"(?:third[- ]part|partners?|affiliates?|advertis|marketers?)",
    re.IGNORECASE,
)
_CARVED_OUT: Final = re.compile(
    r"(?:not|never|excludes?)[^.]{0,160}(?:shared?|sold|sell|third part|opt-in|text messag|mobile)",
    re.IGNORECASE,
)
_LIABLE: Final = re.compile(r"carriers?[^.]{0,60}not (?:be )?(?:liable|responsible)", re.IGNORECASE)
_REJOIN: Final = re.compile(
    r"rejoin|re-join|join again|sign up again|opt (?:back )?in again|text START|resume", re.IGNORECASE
)
_NEGATED: Final = re.compile(r"\b(?:no|not|never|none|nor|without)\b|n't\b", re.IGNORECASE)
_CLAUSE_END: Final = re.compile(r"[.!?;:]\s|\bbut\b")
_TERMS_LEAST: Final = 80
_OPT_IN_LEAST: Final = 40


class Element(Struct, frozen=True, kw_only=True):
    """Something that a text has to say."""

    code: str
    words: re.Pattern[str]
    message: str
    fix: str


_AT_OPT_IN: Final = (
    Element(
        code="opt_in_no_purpose",
        words=_PURPOSE,
        message="the opt-in does not say what is sent",
        fix="name the kind of messages: `to receive sign-in codes from Acme`",
    ),
    Element(
        code="opt_in_no_frequency",
        words=FREQUENCY,
        message="the opt-in does not say how often",
        fix="add `Message frequency varies` or `One message per login`",
    ),
    Element(
        code="opt_in_no_contact",
        words=CONTACT,
        message="the opt-in names nobody to ask",
        fix="add `Reply HELP for help` or a support e-mail or phone",
    ),
    Element(
        code="opt_in_no_stop",
        words=STOP,
        message="the opt-in does not say how to stop",
        fix="add `Reply STOP to opt out`",
    ),
    Element(
        code="opt_in_no_rates",
        words=RATES,
        message="the opt-in lacks the words on rates",
        fix="add `Message and data rates may apply`",
    ),
    Element(
        code="opt_in_no_terms",
        words=_TERMS,
        message="the opt-in links no terms and conditions",
        fix="link the public terms beside the box",
    ),
    Element(
        code="opt_in_no_privacy",
        words=_PRIVACY,
        message="the opt-in links no privacy policy",
        fix="link the public privacy policy beside the box",
    ),
)
_IN_TERMS: Final = (
    Element(
        code="terms_no_stop",
        words=STOP,
        message="the terms do not say how to cancel",
        fix="say that STOP cancels and that one confirmation follows",
    ),
    Element(
        code="terms_no_rejoin",
        words=_REJOIN,
        message="the terms do not say how to come back",
        fix="add `to rejoin, sign up as you did the first time`",
    ),
    Element(
        code="terms_no_help",
        words=HELP,
        message="the terms do not name HELP",
        fix="say that HELP, an e-mail or a toll-free number gets help",
    ),
    Element(
        code="terms_no_carrier_liability",
        words=_LIABLE,
        message="the terms do not clear the carriers",
        fix="add `Carriers are not liable for delayed or undelivered messages`",
    ),
    Element(
        code="terms_no_rates",
        words=RATES,
        message="the terms lack the words on rates",
        fix="add `Message and data rates may apply`",
    ),
    Element(
        code="terms_no_frequency",
        words=FREQUENCY,
        message="the terms do not say how often",
        fix="add the message frequency",
    ),
    Element(
        code="terms_no_privacy",
        words=_PRIVACY,
        message="the terms do not link the privacy policy",
        fix="link the privacy policy",
    ),
)


def opt_in(draft: Draft) -> Iterator[Finding]:
    """Yield what the opt-in lacks, or says that it must not."""
    text = draft.opt_in
    if text is None:
        return
    say = _saying("opt_in")
    if len(text) < _OPT_IN_LEAST:
        yield say(
            "opt_in_too_short",
            f"{len(text)} characters; reviewers want at least {_OPT_IN_LEAST}",
            "describe each step of the opt-in",
        )
        return
    if not any(names_brand(text, name) for name in draft.names):
        yield say("opt_in_no_brand", "the opt-in does not name the brand", f"name {draft.company} in it")
    yield from _missing(text, _AT_OPT_IN, "opt_in")
    if _asserted(_TICKED, text):
        yield say(
            "opt_in_prechecked",
            "a box is ticked before the person does it",
            "leave every box empty, and say so",
        )
    if _BUNDLED.search(text):
        yield say(
            "opt_in_bundled", "one consent stands for several uses", "give each use case a box of its own"
        )
    if _asserted(_BOUGHT, text):
        yield say(
            "opt_in_bought",
            "consent does not move between companies",
            "text only people who opted in with this brand",
        )
    if _LOGIN.search(text) and not (_SHOWN.search(text) or draft.opt_in_image):
        yield say(
            "opt_in_unreachable", "reviewers cannot log in", "attach a screenshot, or link one that is public"
        )


def opt_in_image(draft: Draft) -> Iterator[Finding]:
    """Yield that a toll-free registration lacks its picture: optional once, asked for in practice."""
    if draft.kind == "toll_free" and draft.opt_in_image is False:
        say = _saying("opt_in_image")
        yield say(
            "opt_in_image_missing", "toll-free reviewers want to see the opt-in", "attach a screenshot of it"
        )


def terms(draft: Draft) -> Iterator[Finding]:
    """Yield what the terms lack of the seven things."""
    text = draft.terms
    if text is None:
        return
    say = _saying("terms")
    if not any(names_brand(text, name) for name in draft.names):
        yield say(
            "terms_no_program", "the terms do not name the program", f"name {draft.company} and the program"
        )
    if len(text) < _TERMS_LEAST or _PURPOSE.search(text) is None:
        yield say(
            "terms_no_description", "the terms do not describe the program", "say who sends what to whom"
        )
    yield from _missing(text, _IN_TERMS, "terms")


def privacy(draft: Draft) -> Iterator[Finding]:
    """Yield that a policy lets opt-in data be shared, or does not say that it is not."""
    text = draft.privacy
    if text is None:
        return
    fix = "add `Text messaging originator opt-in data and consent will not be shared with any third parties.`"
    if _CARVED_OUT.search(text):
        return
    if _asserted(_SHARES, text):
        yield _saying("privacy")("privacy_shares_data", "the policy lets opt-in data be shared", fix)
    else:
        yield _saying("privacy")("privacy_silent", "the policy does not say that opt-in data stays here", fix)


def _asserted(words: re.Pattern[str], text: str) -> bool:
    """Whether words stand in the text without a no before them in their clause."""
    return any(
        _NEGATED.search(_CLAUSE_END.split(text[: found.start()])[-1]) is None
        for found in words.finditer(text)
    )


def _missing(text: str, elements: tuple[Element, ...], field: str) -> Iterator[Finding]:
    for each in elements:
        if each.words.search(text) is None:
            yield _saying(field)(each.code, each.message, each.fix)


def _saying(field: str) -> Callable[[str, str, str], Finding]:
    def say(code: str, message: str, fix: str) -> Finding:
        return Finding(code=code, severity="error", field=field, message=message, fix=fix)

    return say
