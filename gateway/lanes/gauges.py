"""
What waits, as metrics: per route, country and priority, never per sender or tenant.

Their number is bounded by the countries that are sent to; a country's worst lane stands for all of its lanes.
"""

from collections.abc import Iterable
from typing import Final

from gateway.lanes.survey import LaneSight, LaneSurvey
from gateway.telemetry import metrics

_GAUGES: Final = (
    metrics.LANE_BACKLOG_PARTS,
    metrics.LANE_BACKLOG_MESSAGES,
    metrics.LANE_DRAIN_SECONDS,
    metrics.LANE_OLDEST_SECONDS,
)
_Labels = tuple[str, str, str]


async def show_lanes(survey: LaneSurvey) -> None:
    """Read every route and write its gauges; with Redis away there are none, rather than old ones."""
    for gauge in _GAUGES:
        gauge.clear()
    write_gauges(await survey.all())


def write_gauges(sights: Iterable[LaneSight]) -> None:
    """Add up the parts, and take the longest of the times."""
    groups: dict[_Labels, list[LaneSight]] = {}
    for sight in sights:
        labels = (sight.route, sight.lane.country, sight.lane.priority.name.lower())
        groups.setdefault(labels, []).append(sight)
    for labels, lanes in groups.items():
        metrics.LANE_BACKLOG_PARTS.labels(*labels).set(sum(each.waiting.parts for each in lanes))
        metrics.LANE_BACKLOG_MESSAGES.labels(*labels).set(sum(each.waiting.messages for each in lanes))
        metrics.LANE_DRAIN_SECONDS.labels(*labels).set(max(each.drain_s for each in lanes))
        metrics.LANE_OLDEST_SECONDS.labels(*labels).set(max(each.oldest_s or 0.0 for each in lanes))
