"""Message samples, and the three texts that answer CONFIRM, HELP and STOP. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from tenants.registrations.linting.disclosures import FREQUENCY, HELP, RATES, REACH, STOP
from tenants.registrations.linting.draft import Draft, Finding
from tenants.templates import links, restricted
from tenants.templates.brands import names_brand

_LEAST: Final = {"toll_free": 20, "ten_dlc_campaign": 20}
_MOST: Final = {"sender_id": 306, "short_code": 159}
_REPLY: Final = (20, 160)
_ENDED: Final = re.compile(
    r"no (?:more|further) (?:messages|texts|msgs)|not (?:receive|get) (?:any )?(?:more|further)|unsubscribed"
    r"|opted out|stopped",
    re.IGNORECASE,
)
_CODE: Final = re.compile(r"\bcode\b|\bpasscode\b|\bOTP\b|\bPIN\b|\bpassword\b|verif", re.IGNORECASE)
_OTP: Final = re.compile(r"one-time|two[- ]?factor|passcode|\b2fa\b|\botp\b", re.IGNORECASE)
_PROMOTION: Final = re.compile(r"promotion|marketing|mixed|low_volume|other", re.IGNORECASE)
_BRACES: Final = re.compile(r"\{\w+\}|<\w+>|%\w+%|\$\w+\$")
_PHONE: Final = re.compile(r"(?<![\w.])\+?\d[\d ().-]{7,}\d(?!\w|\.\w)")
_LENDING: Final = re.compile(r"\b(?:loans?|lend(?:ing|er)|credit line|borrow)", re.IGNORECASE)
_AGE: Final = re.compile(
    r"\b(?:beer|wine|vodka|whisk(?:e)?y|liquor|casino|tobacco|vape|18\+|21\+)", re.IGNORECASE
)
_FOREIGN: Final = re.compile(r"[^\x00-\u024f\u2000-\u206f\u20a0-\u20cf]")


def samples(draft: Draft) -> Iterator[Finding]:
    """Yield what is wrong with samples, each by its number."""
    for number, text in enumerate(draft.samples, start=1):
        yield from _sample(draft, number, text)
    if draft.kind == "ten_dlc_campaign" and draft.samples:
        if not any(STOP.search(text) for text in draft.samples):
            yield _error(
                "samples",
                "sample_no_opt_out",
                "no sample says how to stop",
                "end one with `Reply STOP to opt out`",
            )
        if not _branded(draft, " ".join(draft.samples)):
            yield _error(
                "samples", "sample_no_brand", "no sample names the brand", f"begin with `{draft.company}: …`"
            )
    if not draft.samples and draft.kind != "ten_dlc_brand":
        yield _error(
            "samples", "sample_missing", "there is no sample message", "show a message as it will be sent"
        )


def _sample(draft: Draft, number: int, text: str) -> Iterator[Finding]:
    field = f"samples/{number - 1}"
    least, most = _LEAST.get(draft.kind, 1), _MOST.get(draft.kind, 1600)
    if not least <= len(text) <= most:
        yield _error(field, "sample_length", f"{len(text)} characters", f"{least} to {most} characters")
    if draft.kind != "ten_dlc_campaign" and not _branded(draft, text):
        yield _error(
            field, "sample_no_brand", "the sample does not name the brand", f"begin with `{draft.company}: …`"
        )
    if _BRACES.search(text):
        yield _error(field, "sample_variables", "variables are not in brackets", "write them as `[code]`")
    for host in links.hosts(text):
        if links.is_shortener(host.name):
            yield _error(
                field,
                "shortener",
                f"{host.name} is a public link shortener",
                "link to the brand's own domain",
            )
    for each, word in restricted.classes_in(text):
        if each.prohibited:
            yield _error(
                field, "prohibited_content", f"`{word}` reads like {each.name}", "carriers do not carry it"
            )
        elif each.name != "alcohol, tobacco and firearms" or draft.flags is None:
            yield _warning(
                field,
                "restricted_content",
                f"`{word}` reads like {each.name}",
                "expect questions, or leave it out",
            )
    if _FOREIGN.search(text) and draft.country in {"US", "CA"}:
        yield _error(field, "sample_not_english", "reviewers read English", "translate the sample")


def category(draft: Draft) -> Iterator[Finding]:
    """Yield that category and samples tell different stories."""
    use_case = draft.use_case or ""
    if not draft.samples or not use_case:
        return
    if _OTP.search(use_case) and not any(_CODE.search(text) for text in draft.samples):
        yield _error(
            "use_case",
            "category_mismatch",
            f"{use_case}, but no sample has a code",
            "choose the category that the samples show",
        )
    promotional = next(
        (found for text in draft.samples if (found := restricted.PROMOTIONAL.search(text))), None
    )
    if promotional and not _PROMOTION.search(use_case):
        yield _error(
            "use_case",
            "promotion_in_samples",
            f"`{promotional[0]}` is promotional",
            "choose a marketing category, or leave the offer out",
        )
    if promotional and draft.country == "JO":
        yield _error(
            "samples",
            "promotion_forbidden",
            "Jordan takes transactional messages only",
            "leave the offer out",
        )


def replies(draft: Draft) -> Iterator[Finding]:
    """Yield what the CONFIRM, HELP and STOP texts lack."""
    if draft.confirm is not None:
        yield from _common(draft, "confirm", draft.confirm)
        for code, words, fix in (
            ("confirm_no_rates", RATES, "add `Msg & data rates may apply`"),
            ("confirm_no_frequency", FREQUENCY, "add how often, such as `1 message per login`"),
            ("confirm_no_help", HELP, "add `Reply HELP for help`"),
            ("confirm_no_stop", STOP, "add `STOP to opt out`"),
        ):
            if words.search(draft.confirm) is None:
                yield _error("confirm", code, "the confirmation leaves it out", fix)
    if draft.help is not None:
        yield from _common(draft, "help", draft.help)
        for code, words, fix in (
            ("help_no_contact", REACH, "add a phone, an e-mail or a page"),
            ("help_no_rates", RATES, "add `Msg & data rates may apply`"),
            ("help_no_stop", STOP, "add `STOP to cancel`"),
        ):
            if words.search(draft.help) is None:
                yield _error("help", code, "the HELP text leaves it out", fix)
    if draft.stop is not None:
        yield from _common(draft, "stop", draft.stop)
        if _ENDED.search(draft.stop) is None:
            yield _error(
                "stop",
                "stop_not_final",
                "the STOP text does not say that it is over",
                "add `No more messages will be sent`",
            )


def _common(draft: Draft, field: str, text: str) -> Iterator[Finding]:
    least, most = _REPLY
    if not least <= len(text) <= most:
        yield _error(field, f"{field}_length", f"{len(text)} characters", f"{least} to {most} characters")
    if not _branded(draft, text):
        yield _error(
            field, f"{field}_no_brand", "the text does not name the brand", f"begin with {draft.company}"
        )


def flags(draft: Draft) -> Iterator[Finding]:
    """Yield flags of a campaign that its samples belie."""
    if draft.flags is None:
        return
    text = "\n".join(draft.samples)
    for member, shown, what in (
        ("embedded_link", links.has_link(text), "a link"),
        ("embedded_phone", _PHONE.search(text) is not None, "a phone number"),
        ("direct_lending", _LENDING.search(text) is not None, "lending"),
        ("age_gated", _AGE.search(text) is not None, "age-gated content"),
    ):
        if shown and getattr(draft.flags, member) == "No":
            yield _error(
                f"flags/{member}",
                f"flag_{member}",
                f"the samples show {what}",
                "say Yes, or change the samples",
            )
    for member in ("opt_in", "opt_out", "help"):
        if getattr(draft.flags, member) == "No":
            yield _error(f"flags/{member}", f"flag_{member}", "carriers demand it", "say Yes, and do it")


def _branded(draft: Draft, text: str) -> bool:
    return any(names_brand(text, name) for name in draft.names)


def _error(field: str, code: str, message: str, fix: str) -> Finding:
    return Finding(code=code, severity="error", field=field, message=message, fix=fix)


def _warning(field: str, code: str, message: str, fix: str) -> Finding:
    return Finding(code=code, severity="warning", field=field, message=message, fix=fix)
