"""What protect rules stopped and what AWS said it would have stopped, for one tenant and a span of time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.ids import encode
from tenants.scope import TenantScope

_MESSAGES: Final = text("""
    SELECT protect_configuration_id AS configuration, country, count(*) AS count FROM messages
    WHERE tenant_id = :tenant AND created_at >= :first AND created_at < :last AND NOT test
    GROUP BY 1, 2
""")
_FINDINGS: Final = text("""
    SELECT configuration_id AS configuration, country, kind, count(*) AS count,
        count(*) FILTER (WHERE false_positive) AS wrong
    FROM protect_findings WHERE tenant_id = :tenant AND at >= :first AND at < :last GROUP BY 1, 2, 3
""")
_REFUSALS: Final = text("""
    SELECT nullif(configuration_id, '00000000-0000-0000-0000-000000000000') AS configuration, country,
        sum(count)::bigint AS count
    FROM protect_refusals WHERE tenant_id = :tenant AND day >= (:first AT TIME ZONE 'UTC')::date
        AND day <= (:last AT TIME ZONE 'UTC')::date GROUP BY 1, 2
""")


class Chart(Struct, frozen=True, kw_only=True):
    """A count, its share and its countries."""

    count: int
    percent: float
    """Of the sends that the configuration judged, refused ones included."""
    by_country: dict[str, int]
    """By ISO 3166-1 alpha-2, the largest first."""
    false_positives: int
    """Of the messages among them, how many the tenant marked."""


class ConfigurationReport(Struct, frozen=True, kw_only=True):
    """The four charts of one configuration."""

    configuration: str | None
    """`prc_…`; null for sends that no configuration judged."""
    sends: int
    """Messages accepted, and sends refused by a protect rule."""
    refused: int
    """Of the blocked ones, those that never reached AWS; counted by UTC day."""
    blocked: Chart
    recommended: Chart
    """What AWS would have blocked, had the rule been FILTER, or did."""


async def read_report(
    scope: TenantScope, session: AsyncSession, first: datetime, last: datetime
) -> list[ConfigurationReport]:
    """Return one report per configuration that judged anything, the busiest first; `last` is exclusive."""
    span = {"tenant": scope.tenant_id, "first": first, "last": last}
    messages = (await session.execute(_MESSAGES, span)).all()
    findings = (await session.execute(_FINDINGS, span)).all()
    refusals = (await session.execute(_REFUSALS, span)).all()
    judged = {row.configuration for row in (*messages, *findings, *refusals)}
    reports = [_report(each, messages, findings, refusals) for each in judged]
    return sorted(reports, key=lambda report: (-report.sends, report.configuration or ""))


def _report(
    configuration: UUID | None, messages: Iterable[Any], findings: Iterable[Any], refusals: Iterable[Any]
) -> ConfigurationReport:
    refused = [row for row in refusals if row.configuration == configuration]
    found = [row for row in findings if row.configuration == configuration]
    refused_count = sum(row.count for row in refused)
    sends = refused_count + sum(row.count for row in messages if row.configuration == configuration)
    blocked = [row for row in found if row.kind == "blocked"]
    return ConfigurationReport(
        configuration=None if configuration is None else encode("prc", configuration),
        sends=sends,
        refused=refused_count,
        blocked=_chart([*refused, *blocked], sends, wrong=sum(row.wrong for row in blocked)),
        recommended=_chart(
            recommended := [row for row in found if row.kind == "recommended"],
            sends,
            wrong=sum(row.wrong for row in recommended),
        ),
    )


def _chart(rows: Iterable[Any], sends: int, *, wrong: int) -> Chart:
    by_country: dict[str, int] = {}
    for row in rows:
        by_country[row.country] = by_country.get(row.country, 0) + row.count
    count = sum(by_country.values())
    return Chart(
        count=count,
        percent=round(100 * count / sends, 3) if sends else 0.0,
        by_country=dict(sorted(by_country.items(), key=lambda item: (-item[1], item[0]))),
        false_positives=wrong,
    )
