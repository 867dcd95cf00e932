"""An alarm on the wire, the same for its tenant and for the operator."""

from typing import Annotated

from msgspec import Meta, Struct

from gateway.insight.alarms import Setting
from gateway.insight.hysteresis import Against
from gateway.insight.metrics import Watched
from gateway.insight.models import Alarm
from gateway.intake.request import MessageType
from gateway.messages.view import timestamp
from tenants.accounts.plan import CountryCode
from tenants.ids import encode

_Threshold = Annotated[float, Meta(ge=0, le=1_000_000_000)]
_Rounds = Annotated[int, Meta(ge=1, le=100)]


class NewAlarm(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to watch, and when to tell."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    """Unique among your alarms."""
    metric: Watched
    """`conversion` and `delivery_rate` are raised below their threshold, the others above it."""
    country: CountryCode | None = None
    """Null watches all countries together."""
    type: MessageType | None = None
    against: Against = "static"
    """`static`: the thresholds are figures. `baseline`: they are distances from what is usual, for shares in
    points, such as 0.05; for `spend_pace` multiples of it, such as 2."""
    raise_at: _Threshold
    """A share from 0 to 1; of `spend_pace` dollars or credits an hour."""
    clear_at: _Threshold | None = None
    """On the good side of `raise_at`; a tenth away from it if absent."""
    window_seconds: Annotated[int, Meta(ge=300, le=86_400)] = 3600
    """Over which messages are measured."""
    minimum_messages: Annotated[int, Meta(ge=1, le=1_000_000)] = 50
    """With fewer nothing is judged; of `throttle_rate`, calls."""
    rounds_to_raise: _Rounds = 2
    """Looks in a row that must find trouble. There are ten in a window, at most two a minute."""
    rounds_to_clear: _Rounds = 3
    overdue_after_seconds: Annotated[int, Meta(ge=60, le=259_200)] | None = None
    """Of `pending_rate`: when a receipt is overdue; twice the usual time of the country if absent."""


class AlarmSwitch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the alarm is in use."""

    enabled: bool


class AlarmView(Struct, frozen=True, kw_only=True):
    """An alarm and where it stands."""

    id: str
    name: str
    metric: str
    country: str | None
    type: str | None
    against: str
    raise_at: float
    clear_at: float
    window_seconds: int
    minimum_messages: int
    rounds_to_raise: int
    rounds_to_clear: int
    overdue_after_seconds: int | None
    enabled: bool
    raised: bool
    changed_at: str | None
    """When it was raised or cleared last."""
    value: float | None
    """As measured last; null where there were too few messages, or no baseline yet."""
    usual: float | None
    """The baseline's median; null for `static`."""
    judged_at: str | None
    created_at: str | None


def setting_of(body: NewAlarm) -> Setting:
    """Return the alarm that a body describes."""
    return Setting(
        name=body.name,
        metric=body.metric,
        country=body.country,
        type=body.type,
        against=body.against,
        raise_at=body.raise_at,
        clear_at=body.clear_at,
        window_s=body.window_seconds,
        minimum=body.minimum_messages,
        rounds_to_raise=body.rounds_to_raise,
        rounds_to_clear=body.rounds_to_clear,
        after_s=body.overdue_after_seconds,
    )


def alarm_view(row: Alarm) -> AlarmView:
    """Return an alarm as the wire shows it."""
    return AlarmView(
        id=encode("alm", row.id),
        name=row.name,
        metric=row.metric,
        country=row.country,
        type=row.type,
        against=row.against,
        raise_at=row.raise_at,
        clear_at=row.clear_at,
        window_seconds=row.window_s,
        minimum_messages=row.minimum,
        rounds_to_raise=row.rounds_to_raise,
        rounds_to_clear=row.rounds_to_clear,
        overdue_after_seconds=row.after_s,
        enabled=row.enabled,
        raised=row.raised,
        changed_at=timestamp(row.changed_at),
        value=row.value,
        usual=row.usual,
        judged_at=timestamp(row.judged_at),
        created_at=timestamp(row.created_at),
    )
