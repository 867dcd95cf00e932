"""ARNs of the service: building them, and reading the id-or-ARN parameters that most actions take."""

from typing import Literal

import msgspec

from gateway.emulator.errors import not_found, validation
from gateway.emulator.state.store import Store

Kind = Literal[
    "phone-number",
    "pool",
    "sender-id",
    "configuration-set",
    "opt-out-list",
    "protect-configuration",
    "registration",
    "registration-attachment",
    "verified-destination-number",
]

SECTIONS = 6
"""Colon-separated sections of an ARN."""


class Arn(msgspec.Struct, frozen=True):
    """The sections of an ARN that matter here."""

    service: str
    region: str
    account: str
    kind: str
    id: str


def build(store: Store, kind: Kind, identifier: str) -> str:
    """Return the ARN of a resource of this account and Region."""
    return f"arn:aws:sms-voice:{store.region}:{store.account}:{kind}/{identifier}"


def parse(text: str, field: str) -> Arn:
    """Return the sections of an ARN, or raise INVALID_ARN naming ``field``."""
    sections = text.split(":", SECTIONS - 1)
    if len(sections) != SECTIONS or sections[0] != "arn":
        raise validation("INVALID_ARN", f"The ARN is not valid: {text}", field)
    kind, _, identifier = sections[5].partition("/")
    if not kind or not identifier:
        raise validation("INVALID_ARN", f"The ARN is not valid: {text}", field)
    return Arn(sections[2], sections[3], sections[4], kind, identifier)


def id_of(store: Store, value: str, kind: Kind, field: str) -> str:
    """Return the id inside an id-or-ARN parameter; an ARN must be of the right kind and of this account."""
    if not value.startswith("arn:"):
        return value
    arn = own(store, value, field)
    if arn.kind != kind:
        raise validation("INVALID_ARN", f"The ARN is not of a {kind}: {value}", field)
    return arn.id


def own(store: Store, value: str, field: str) -> Arn:
    """Return the sections of an ARN of this account and Region."""
    arn = parse(value, field)
    if arn.service != "sms-voice":
        raise validation("INVALID_ARN", f"The ARN is not of this service: {value}", field)
    if arn.account != store.account:
        raise not_found(arn.kind, value)
    if arn.region != store.region:
        raise validation("INVALID_ARN", f"The ARN is of another Region: {value}", field)
    return arn
