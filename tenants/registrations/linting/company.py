"""The company, its contact, its sender id, and what 10DLC asks of brands and campaigns. Pure."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from tenants.registrations.linting.draft import Draft, Finding
from tenants.registrations.sender_ids import refusal_of
from tenants.templates import links

_LISTS: Final = frozenset(
    {
        "all",
        "everyone",
        "everybody",
        "staff",
        "team",
        "list",
        "group",
        "distribution",
        "noreply",
        "no-reply",
        "donotreply",
    }
)
_EIN: Final = re.compile(r"\d{2}-?\d{7}")
_BN: Final = re.compile(r"\d{9}(?:RT\d{4})?")
_COLLECTIVE: Final = frozenset({"MIXED", "LOW_VOLUME"})
_HOST: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE)


def contact(draft: Draft) -> Iterator[Finding]:
    """Yield a website or an address that does not look like the company's."""
    host = None if draft.website is None else _host(draft.website)
    if draft.website is not None and (host is None or links.is_shortener(host)):
        yield _error(
            "website",
            "website_invalid",
            "it is no public website",
            "give https:// and the company's own domain",
        )
    if draft.support_email is None or "@" not in draft.support_email:
        return
    name, _, domain = draft.support_email.rpartition("@")
    if name.casefold() in _LISTS:
        yield _error(
            "support_email",
            "email_is_a_list",
            f"{name}@ reads like a distribution list",
            "give a person's address",
        )
    if host is not None and not _same_company(domain, host):
        yield _error(
            "support_email",
            "email_off_domain",
            f"{domain} is not {host}",
            "use an address on the website's domain",
        )


def sender_id(draft: Draft) -> Iterator[Finding]:
    """Yield why a sender id is not taken."""
    if draft.sender_id is None:
        return
    refused = refusal_of(draft.sender_id, draft.country or "")
    if refused is not None:
        yield _error("sender_id", refused.code, refused.detail, refused.fix)


def brand(draft: Draft) -> Iterator[Finding]:
    """Yield what a 10DLC brand lacks."""
    if draft.kind != "ten_dlc_brand":
        return
    if draft.legal_type == "PUBLIC_PROFIT" and not (
        draft.stock_symbol and draft.stock_exchange and draft.verification_email
    ):
        fix = "give stock symbol, exchange and the e-mail to which the verification goes"
        yield _error("legal_type", "public_profit_incomplete", "a listed company says more", fix)
    form = {"US": _EIN, "CA": _BN}.get(draft.tax_country or "")
    if draft.tax_id is not None and form is not None and form.fullmatch(draft.tax_id) is None:
        wanted = (
            "nine digits, as the IRS wrote them" if draft.tax_country == "US" else "nine digits of the BN"
        )
        yield _error("tax_id", "tax_id_form", "it is no tax id of that country", wanted)


def campaign(draft: Draft) -> Iterator[Finding]:
    """Yield parts of a use case where there may be none, or none where there must be."""
    if draft.kind != "ten_dlc_campaign" or draft.use_case is None:
        return
    collective = draft.use_case in _COLLECTIVE
    if draft.sub_use_cases and not collective:
        yield _error(
            "sub_use_cases",
            "sub_use_case_not_allowed",
            "only MIXED and LOW_VOLUME have parts",
            "leave them out",
        )
    if collective and not draft.sub_use_cases:
        yield _error(
            "sub_use_cases", "sub_use_case_missing", f"{draft.use_case} names its parts", "choose them"
        )


def _host(website: str) -> str | None:
    text = website if "://" in website else f"https://{website}"
    try:
        host = urlsplit(text).hostname
    except ValueError:
        return None
    return host if host is not None and _HOST.fullmatch(host) else None


def _same_company(domain: str, host: str) -> bool:
    one, other = domain.casefold().split("."), host.casefold().split(".")
    shorter = min(len(one), len(other))
    return shorter > 1 and one[-shorter:] == other[-shorter:]


def _error(field: str, code: str, message: str, fix: str) -> Finding:
    return Finding(code=code, severity="error", field=field, message=message, fix=fix)
