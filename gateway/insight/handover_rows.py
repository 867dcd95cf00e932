"""How a row of a hand-over is written: ids as the API writes them, sealed values opened, secrets left out."""

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType, SimpleNamespace
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import RowMapping

from gateway.messages.inbound import person_context, text_context
from gateway.messages.keys import body_context, number_context
from gateway.messages.told_prices import without_prices
from gateway.messages.view import timestamp
from gateway.telemetry.metrics import BROKEN_SEALS
from tenants.accounts.sealing import DataKey
from tenants.consents import service as consents
from tenants.errors import SealBroken
from tenants.ids import encode
from tenants.onboarding import service as onboarding
from tenants.optouts import service as opt_outs
from tenants.protection.overrides import seal_context
from tenants.registrations import sealed_files
from tenants.scope import TenantScope
from tenants.verification import service as verification

_log = structlog.get_logger(__name__)
_Opener = Callable[[Any, DataKey], object]
_NO_UUID: Final = UUID(int=0)

OPERATORS_OWN: Final = frozenset(
    {
        "cogs", "payable", "cost_micros", "cost_estimated", "cost_revision", "max_price_micros",
        "price_excess", "provider_price_micros", "provider_fee_micros", "price_micros", "fee_micros",
        "number_price",
    }
)  # fmt: skip
"""What the operator pays; the tenant sees its own prices."""
_CALCULATION: Final = frozenset({"margin_percent", "price_book", "fees"})
"""Members of a plan by which the operator makes prices of its costs."""
_NOTES: Final = frozenset({("mps_increases", "note"), ("mps_increases", "case_id")})
"""What the operator wrote down for itself."""

IDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tenant_id": "ten", "message_id": "msg", "template_id": "tpl", "sender_id": "idn", "pool_id": "pool",
        "account_id": "acc", "endpoint_id": "wh", "event_id": "evt", "delivery_id": "del",
        "registration_id": "reg", "parent_id": "reg", "configuration_id": "prc",
        "protect_configuration_id": "prc", "inbound_id": "inb", "previous_message_id": "msg",
        "reply_message_id": "msg",
    }
)  # fmt: skip
"""Prefixes of ids by their column."""
OWN_IDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tenants": "ten", "api_keys": "key", "templates": "tpl", "senders": "idn", "pools": "pool",
        "configuration_sets": "cfg", "registrations": "reg", "registration_attachments": "att",
        "messages": "msg", "media": "med", "inbound_messages": "inb", "events": "evt",
        "opt_out_changes": "ooc", "consents": "con", "verified_numbers": "vdn",
        "protect_configurations": "prc", "ledger_transfers": "led", "monthly_fees": "fee", "alarms": "alm",
        "webhook_endpoints": "wh", "webhook_deliveries": "del", "keywords": "kwd", "mps_increases": "inc",
    }
)  # fmt: skip
"""Prefixes of a table's own `id`."""


def line_of(table: str, row: RowMapping, key: DataKey) -> bytes:
    """
    Return the row as one line of JSON.

    Bytes are never written as they stand: opened where `OPENED` says how, else left out. A damaged value must
    not keep the tenant from all that stands behind it: it is null, named in `unopened`, logged and counted.
    """
    written: dict[str, object] = {}
    unopened: list[str] = []
    values: dict[str, object] = {str(name): value for name, value in row.items()}
    columns = SimpleNamespace(**values)
    for name, value in values.items():
        opened = OPENED.get((table, name))
        if opened is not None:
            try:
                written[opened[0]] = None if value is None else opened[1](columns, key)
            except SealBroken as error:
                written[opened[0]] = None
                unopened.append(opened[0])
                _note_broken(table, name, values.get("id"), error)
        elif not _is_kept_back(table, name, value):
            written[name] = _plain(table, name, value)
    if unopened:
        written["unopened"] = unopened
    return msgspec.json.encode(written) + b"\n"


def _note_broken(table: str, name: str, row_id: object, error: SealBroken) -> None:
    BROKEN_SEALS.inc()
    own_id = None if row_id is None else str(row_id)
    _log.warning("value_not_opened", table=table, column=name, row=own_id, reason=str(error))


def _is_kept_back(table: str, name: str, value: object) -> bool:
    sealed = isinstance(value, bytes) or name.endswith("_sealed")
    return sealed or name in OPERATORS_OWN or (table, name) in _NOTES


def _without_calculation(row: Any, _key: DataKey) -> dict[str, object]:
    return {name: value for name, value in row.plan.items() if name not in _CALCULATION}


def _plain(table: str, name: str, value: object) -> object:
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, UUID):
        prefix = OWN_IDS.get(table) if name == "id" else IDS.get(name)
        return str(value) if prefix is None or value == _NO_UUID else encode(prefix, value)
    return value


def _text(column: str, context: Callable[[Any], bytes]) -> _Opener:
    return lambda row, key: key.open(getattr(row, column), context=context(row)).decode()


def _json(column: str, context: Callable[[Any], bytes]) -> _Opener:
    # A forgotten key opens nothing, which is no JSON.
    return lambda row, key: msgspec.json.decode(
        key.open(getattr(row, column), context=context(row)) or b"null"
    )


def _of_recipient(context: Callable[[bytes], bytes]) -> tuple[str, _Opener]:
    return "number", _text("number_sealed", lambda row: context(row.recipient_hash))


def _file(row: Any, key: DataKey) -> str:
    return base64.b64encode(sealed_files.opened(row, key)).decode()


OPENED: Final[Mapping[tuple[str, str], tuple[str, _Opener]]] = MappingProxyType(
    {
        ("messages", "to_sealed"): ("to", _text("to_sealed", lambda row: number_context(row.id))),
        ("messages", "body_sealed"): ("body", _text("body_sealed", lambda row: body_context(row.id))),
        ("inbound_messages", "from_sealed"): (
            "from",
            _text("from_sealed", lambda row: person_context(row.id)),
        ),
        ("inbound_messages", "body_sealed"): ("body", _text("body_sealed", lambda row: text_context(row.id))),
        ("opt_outs", "number_sealed"): _of_recipient(opt_outs.number_context),
        ("opt_out_changes", "number_sealed"): _of_recipient(opt_outs.number_context),
        ("consents", "number_sealed"): _of_recipient(consents.number_context),
        ("consent_records", "number_sealed"): _of_recipient(consents.number_context),
        ("consent_records", "proof_sealed"): (
            "proof",
            _json("proof_sealed", lambda row: consents.proof_context(row.recipient_hash)),
        ),
        ("consents", "text_hash"): ("text_hash", lambda row, _: row.text_hash.hex()),
        ("consent_records", "text_hash"): ("text_hash", lambda row, _: row.text_hash.hex()),
        ("consent_texts", "text_hash"): ("text_hash", lambda row, _: row.text_hash.hex()),
        ("verified_numbers", "number_sealed"): _of_recipient(verification.number_context),
        ("protect_overrides", "number_sealed"): (
            "number",
            _text("number_sealed", lambda row: seal_context(row.configuration_id, row.recipient_hash)),
        ),
        ("onboardings", "answers_sealed"): (
            "answers",
            _json(
                "answers_sealed",
                lambda row: onboarding.answers_context(TenantScope(tenant_id=row.tenant_id)),
            ),
        ),
        ("registration_attachments", "content"): ("content_base64", _file),
        ("receipts", "detail"): ("detail", lambda row, _: without_prices(row.detail)),
        ("tenants", "plan"): ("plan", _without_calculation),
    }
)
"""How a column that is not written as it stands is opened, and under which name it is written."""
