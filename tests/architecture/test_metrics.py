"""Every metric that is offered is counted somewhere: one that never moves lies to whoever is on call."""

import re
from pathlib import Path

GATEWAY = Path(__file__).parents[2] / "gateway"
METRICS = GATEWAY / "telemetry" / "metrics.py"


def unwritten(declared: str, code: str) -> set[str]:
    """Return the metrics of `declared` that `code` never names."""
    names = re.findall(r"^([A-Z_]+): Final = (?:Counter|Gauge|Histogram)\(", declared, re.MULTILINE)
    return {name for name in names if not re.search(rf"\b{name}\b", code)}


def test_every_metric_is_written_somewhere():
    """`/metrics` shows a histogram from the first moment, with zeros that look like silence."""
    code = "\n".join(path.read_text() for path in GATEWAY.rglob("*.py") if path != METRICS)
    assert unwritten(METRICS.read_text(), code) == set()


def test_a_metric_that_nothing_writes_is_noticed():
    """The check itself can fail."""
    assert unwritten('LOST: Final = Counter(\n    "lost_total", "Lost."\n)', "KEPT.inc()") == {"LOST"}
