"""What a log line may hold."""

import pytest

from gateway.telemetry.logs import format_failure, json_line


def test_a_line_break_in_a_value_stays_inside_its_line() -> None:
    """Nobody writes a second event with a header of theirs."""
    line = json_line(format_failure)(None, "info", {"event": "request", "route": "a\r\nevent=forged\u2028x"})
    assert b"\n" not in line
    assert b"\r" not in line


def test_a_failure_is_told_without_its_message() -> None:
    """The message may quote what a person wrote; the frames are ours."""
    with pytest.raises(ValueError) as caught:
        int("+12065550123 said hunter2")
    event = format_failure(None, "error", {"event": "x", "exc_info": caught.value})
    assert "hunter2" not in str(event)
    assert "builtins.ValueError" in event["exception"]
    assert "test_logs.py" in event["exception"]
