"""What the wire shows and takes of protect configurations; tenant's and operator's routes share it."""

from datetime import datetime
from typing import Annotated, Final, cast
from uuid import UUID

from litestar.params import QueryParameter
from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.api.path_ids import path_id
from gateway.api.refusals import Refusal
from gateway.messages.view import timestamp
from tenants.errors import InvalidId
from tenants.ids import decode, encode
from tenants.protection import overrides
from tenants.protection.models import AccountProtectConfiguration, ProtectConfiguration
from tenants.protection.naming import MAX_CHANGES
from tenants.protection.precedence import Channel, CountryStatus, OverrideAction

KIND: Final = "protect configuration"
ConfigurationId = Annotated[str, Meta(max_length=40, description="`prc_…`")]
Named = Annotated[
    str | None,
    QueryParameter(name="configuration", max_length=40, description="`prc_…`; the default where absent."),
]
Replacement = Annotated[
    str | None,
    QueryParameter(max_length=40, description="`prc_…` that becomes the default; needed to delete it."),
]
OfChannel = Annotated[Channel, QueryParameter(description="`sms`, `mms` or `voice`.")]


class ConfigurationView(Struct, frozen=True, kw_only=True):
    """A named set of country rules."""

    id: str
    name: str
    default: bool
    """Whether it decides where neither the request nor the configuration set names another."""
    locked: bool
    """Whether only the operator may change it."""
    created_at: str | None


class NewConfiguration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A configuration to be; the first one is the default."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    default: bool = False


class ConfigurationPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is absent stays."""

    name: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    default: bool | UnsetType = UNSET


class CountryRulesView(Struct, frozen=True, kw_only=True):
    """The rules of one configuration for one channel."""

    configuration: str
    channel: Channel
    rules: dict[str, CountryStatus]
    """By ISO 3166-1 alpha-2; a country that is not named is allowed if the tenant's allowlist has it."""


class RuleChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Countries to change; those not named stay."""

    channel: Channel = "sms"
    rules: Annotated[dict[str, CountryStatus | None], Meta(min_length=1, max_length=MAX_CHANGES)]
    """By ISO 3166-1 alpha-2; null takes a country's rule away."""


class CountryRulesBody(RuleChanges, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Countries to change in one configuration."""

    configuration: ConfigurationId | UnsetType = UNSET
    """The default where absent."""


class OverrideBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do with a number, whatever its country's rule says."""

    action: OverrideAction
    expires_at: datetime | UnsetType | None = UNSET
    """From then on the country's rule decides again; never where absent."""
    configuration: ConfigurationId | UnsetType = UNSET
    """The default where absent."""


class OverrideShown(Struct, frozen=True, kw_only=True):
    """A number that a configuration treats otherwise than its country."""

    configuration: str
    number: str
    country: str
    action: str
    expires_at: str | None
    created_at: str | None


def configuration_view(row: ProtectConfiguration | AccountProtectConfiguration) -> ConfigurationView:
    """Return a configuration as the wire shows it."""
    return ConfigurationView(
        id=encode("prc", row.id),
        name=row.name,
        default=row.is_default,
        locked=isinstance(row, ProtectConfiguration) and row.locked,
        created_at=timestamp(row.created_at),
    )


def rules_view(row: ProtectConfiguration | AccountProtectConfiguration, channel: Channel) -> CountryRulesView:
    """Return a configuration's rules for one channel."""
    rules = cast("dict[str, CountryStatus]", row.rules.get(channel, {}))
    return CountryRulesView(
        configuration=encode("prc", row.id), channel=channel, rules=dict(sorted(rules.items()))
    )


def override_shown(row: overrides.OverrideView) -> OverrideShown:
    """Return an override as the wire shows it."""
    return OverrideShown(
        configuration=encode("prc", row.configuration_id),
        number=row.number,
        country=row.country,
        action=row.action,
        expires_at=timestamp(row.expires_at),
        created_at=timestamp(row.created_at),
    )


def configuration_id(text: str) -> UUID:
    """Return the UUID of a configuration named in a path."""
    return path_id("prc", text, KIND)


def named_in_query(text: str | None, parameter: str = "configuration") -> UUID | None:
    """
    Return the UUID of a configuration named in the query.

    Raises:
        Refusal: 422: it is no such id.
    """
    return None if text is None else _decoded(text, f"?{parameter}")


def named_in_body(text: str | UnsetType) -> UUID | None:
    """
    Return the UUID of a configuration named in a body.

    Raises:
        Refusal: 422: it is no such id.
    """
    return None if isinstance(text, UnsetType) else _decoded(text, "/configuration")


def _decoded(text: str, field: str) -> UUID:
    try:
        return decode("prc", text)
    except InvalidId as error:
        raise Refusal.of_field(field, "invalid_id", f"{error}.") from None
