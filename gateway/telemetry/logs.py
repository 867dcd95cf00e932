"""
Log lines: one event per line, a name and ids. Never a phone number, a text, a token or a body.

`configure` is called once, by the command that starts a process; modules take their loggers from structlog.
"""

import logging
import sys
import traceback
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec
import structlog
from structlog.typing import Processor

from gateway.telemetry.lines import LineLogger
from gateway.telemetry.request_log import REQUEST_LOG

LogFormat = Literal["json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]

_LEVELS: Final[dict[LogLevel, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_MOST_FRAMES: Final = 60
_FRAMES_OF_EACH: Final = 15
_encode = msgspec.json.Encoder(enc_hook=str).encode


def configure(log_format: LogFormat, log_level: LogLevel) -> None:
    """Send every event of this process to stderr, as JSON for machines or in colour for a person."""
    shown = format_failure if log_level != "debug" else structlog.processors.format_exc_info
    structlog.configure(
        processors=[json_line(shown)] if log_format == "json" else _console_processors(shown),
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[log_level]),
        logger_factory=_logger_factory(log_format),
        cache_logger_on_first_use=True,
    )
    straight = log_format == "json" and _LEVELS[log_level] <= logging.INFO
    REQUEST_LOG.write_to(_line_logger() if straight else None)
    _quiet_libraries(_LEVELS[log_level])


def json_line(shown: Processor) -> Callable[[Any, str, MutableMapping[str, Any]], bytes]:
    """
    Return what makes one line of JSON of an event, without absent values; JSON escapes line breaks.

    One step instead of structlog's four.

    Args:
        shown: What an exception becomes.
    """

    def line(logger: Any, method: str, event: MutableMapping[str, Any]) -> bytes:
        structlog.processors.add_log_level(logger, method, event)
        if "exc_info" in event:
            shown(logger, method, event)
        event["timestamp"] = datetime.now(UTC)
        return _encode({name: value for name, value in event.items() if value is not None})

    return line


def _logger_factory(log_format: LogFormat) -> Any:
    if log_format == "json":
        return _line_logger
    return structlog.PrintLoggerFactory(sys.stderr)


def _line_logger(*_names: object) -> LineLogger:
    return LineLogger(sys.stderr.buffer)


def format_failure(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """
    Replace `exc_info` by types and frames, without messages and local values.

    A message may quote what a person wrote: SQLAlchemy's hold the parameters of the statement. At level
    debug, on a developer's machine, the whole traceback is shown instead.
    """
    given: Any = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(_described(error))
    return event


def _described(error: BaseException) -> list[str]:
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(lines) < _MOST_FRAMES:
        lines.append(f"{type(seen).__module__}.{type(seen).__qualname__}")
        frames = traceback.extract_tb(seen.__traceback__)
        lines += [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-_FRAMES_OF_EACH:]]
        seen = seen.__cause__ or seen.__context__
    return lines


def _console_processors(shown: Processor) -> list[Any]:
    plain = structlog.dev.plain_traceback
    return [
        structlog.processors.add_log_level,
        shown,
        _drop_absent,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), sort_keys=False, exception_formatter=plain),
    ]


def _drop_absent(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: value for name, value in event.items() if value is not None}


def _quiet_libraries(level: int) -> None:
    """Libraries write through logging; below a warning they only repeat what our own events say."""
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr, format="%(name)s: %(message)s")
