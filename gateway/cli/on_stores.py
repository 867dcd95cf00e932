"""Runs a command's work on Postgres and Redis; where one does not do its part, says so in one sentence."""

import re
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import asyncpg
import click
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

from gateway.cli.looping import run
from gateway.lanes.errors import RedisUnavailable, ScriptFailed
from tenants.errors import KeyUnwrapFailed

_T = TypeVar("_T")
_WAY_OUT = (
    "delete the keys that begin with that, all of which are made anew, and run `tollgate rebuild-redis`"
)
_WRAPPING: Final = re.compile(r"^(\([\w.]+\) |<class '[\w.]+'>: )+")
"""What SQLAlchemy writes before the words of Postgres."""
_SILENCE = (OSError, TimeoutError, DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError)


def run_on_stores(work: Coroutine[Any, Any, _T]) -> _T:
    """Run `work` to its end; what the stores refuse becomes exit status 1 with a way out."""
    try:
        return run(work)
    except _SILENCE as error:
        raise click.ClickException(_sentence("Postgres", error)) from error
    except ScriptFailed as error:
        raise click.ClickException(f"{error}: {_WAY_OUT}") from error
    except (RedisError, RedisUnavailable) as error:
        raise click.ClickException(_sentence("Redis", error)) from error
    except KeyUnwrapFailed as error:
        raise click.ClickException(f"{error}: give every process the same one") from error


def _sentence(store: str, error: Exception) -> str:
    said = _WRAPPING.sub("", str(error)).splitlines() or [type(error).__name__]
    return f"{store} did not do its part ({said[0]}); `tollgate doctor` says what is wrong"
