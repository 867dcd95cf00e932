"""Which protect configuration decides over a send. Pure."""

from typing import Final
from uuid import UUID

from msgspec import UNSET

from gateway.intake.outcome import Declined, FieldFault
from gateway.intake.request import SendRequest
from gateway.intake.snapshot import TenantSnapshot
from gateway.routing.facts import SenderFact
from tenants.errors import InvalidId
from tenants.ids import decode
from tenants.protection.precedence import in_force

_FIELD: Final = "/protect_configuration"
_UNKNOWN: Final = "the tenant has no such protect configuration; /v1/protect/configurations lists them"


def named_configuration(snapshot: TenantSnapshot, request: SendRequest) -> UUID | Declined | None:
    """Return the configuration that a request names; declined where it is none of the tenant's."""
    if request.protect_configuration is UNSET:
        return None
    try:
        found = decode("prc", request.protect_configuration)
    except InvalidId:
        found = None
    if found is None or found not in snapshot.protection.configurations:
        fault = FieldFault(field=_FIELD, code="unknown_protect_configuration", detail=_UNKNOWN)
        return Declined(code="validation_failed", detail=_UNKNOWN, errors=(fault,))
    return found


def configuration_of(snapshot: TenantSnapshot, named: UUID | None, sender: SenderFact | None) -> UUID | None:
    """Return the configuration that decides, by the sender that would carry the message."""
    account_id = None if sender is None else sender.account_id
    found = in_force(snapshot.protection, named=named, account_id=account_id).configuration
    return None if found is None else found.id
