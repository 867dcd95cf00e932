"""The line of a request, which JSON gets without structlog."""

import json
from collections.abc import Iterator

import pytest
import structlog

from gateway.telemetry import request_log
from gateway.telemetry.logs import LogFormat, LogLevel, configure
from gateway.telemetry.request_log import REQUEST_LOG

SAID = {"request_id": "req_1", "method": "POST", "route": "/v1/messages", "status": 202, "duration_ms": 1.5}


@pytest.fixture(autouse=True)
def _logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A logger keeps to the first configuration it met, so each test has its own."""
    monkeypatch.setattr(request_log, "_log", structlog.get_logger("of_this_test"))
    before = structlog.get_config()
    yield
    REQUEST_LOG.write_to(None)
    structlog.configure(**before)


def test_the_line_has_what_structlogs_lines_have_and_nothing_absent(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """One program reads both."""
    configure("json", "info")
    REQUEST_LOG.write(**SAID, code=None, message_id="msg_1")
    structlog.get_logger("other").info("something", code=None)
    of_request, of_another = map(json.loads, capfd.readouterr().err.splitlines())
    assert {**of_request, "timestamp": ""} == SAID | {
        "event": "request", "level": "info", "message_id": "msg_1", "timestamp": "",
    }  # fmt: skip
    assert of_another.keys() == {"event", "level", "timestamp"}
    assert of_request["timestamp"][:16] == of_another["timestamp"][:16]
    assert of_request["timestamp"].endswith("Z")


@pytest.mark.parametrize(("log_format", "level", "lines"), [("json", "warning", 0), ("console", "info", 1)])
def test_level_and_format_hold_for_it_too(
    capfd: pytest.CaptureFixture[str], log_format: LogFormat, level: LogLevel, lines: int
) -> None:
    """Who asks for warnings alone gets no requests, and a person no JSON."""
    configure(log_format, level)
    REQUEST_LOG.write(**SAID)
    written = capfd.readouterr().err.splitlines()
    assert len(written) == lines
    assert all("{" not in line for line in written)
