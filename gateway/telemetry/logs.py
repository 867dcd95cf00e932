"""
Log lines: one event per line, a name and ids. Never a phone number, a text, a token or a body.

`configure` is called once, by the command that starts a process; modules take their loggers from structlog.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final, Literal

import msgspec
import structlog

LogFormat = Literal["json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]

_LEVELS: Final[dict[LogLevel, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_encode = msgspec.json.Encoder(enc_hook=str).encode


def configure(log_format: LogFormat, log_level: LogLevel) -> None:
    """Send every event of this process to stderr, as JSON for machines or in colour for a person."""
    structlog.configure(
        processors=_json_processors() if log_format == "json" else _console_processors(),
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[log_level]),
        logger_factory=_logger_factory(log_format),
        cache_logger_on_first_use=True,
    )
    _quiet_libraries(_LEVELS[log_level])


def render_json(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> bytes:
    """Return one line of JSON without absent values; line breaks inside a value are escaped by JSON."""
    return _encode({name: value for name, value in event.items() if value is not None})


def _logger_factory(log_format: LogFormat) -> Any:
    if log_format == "json":
        return structlog.BytesLoggerFactory(sys.stderr.buffer)
    return structlog.PrintLoggerFactory(sys.stderr)


def _json_processors() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        render_json,
    ]


def _console_processors() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        _drop_absent,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), sort_keys=False),
    ]


def _drop_absent(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: value for name, value in event.items() if value is not None}


def _quiet_libraries(level: int) -> None:
    """Libraries write through logging; below a warning they only repeat what our own events say."""
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr, format="%(name)s: %(message)s")
