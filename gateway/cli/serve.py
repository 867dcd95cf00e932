"""`tollgate serve`: one production role per process, or several in one."""

import os
import socket
from typing import Final

import click

from gateway import worker
from gateway.cli.lazy import late
from gateway.cli.looping import run
from gateway.cli.on_stores import run_on_stores
from gateway.cli.web_workers import run_workers
from gateway.db.revision import refuse_older
from gateway.faultpoints import arm
from gateway.settings import Settings, read_settings
from gateway.telemetry.logs import configure
from gateway.wiring.roles import ROLES

_CHOICES: Final = ("api", *ROLES, "all")


@click.command("serve")
@click.argument("roles", nargs=-1, required=True, type=click.Choice(_CHOICES))
@click.option("--host", help="Address of the API; over TOLLGATE_HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the API; over TOLLGATE_PORT.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, help="API processes on the one port.")
@click.option("--listener", type=int, hidden=True, help="File descriptor of a socket that already listens.")
def command(
    *, roles: tuple[str, ...], host: str | None, port: int | None, workers: int, listener: int | None
) -> None:
    """
    Run one or more roles until SIGTERM, then finish what is under way.

    Any number of each may run, on any number of machines. `all` is every role in one process. Nothing is
    begun on a schema that is older than this version: run `tollgate migrate` first.
    """
    settings = _settings(host, port)
    configure(settings.log_format, settings.log_level)
    if settings.faultpoint is not None:
        arm(settings.faultpoint)
    chosen: set[str] = set(_CHOICES[:-1]) if "all" in roles else set(roles)
    run_on_stores(refuse_older(settings.database_url))
    if "api" not in chosen:
        run(worker.run(settings, sorted(chosen)))
        return
    webserver = late("gateway.webserver")  # a worker does without the HTTP framework
    taken: socket.socket = (
        webserver.listen(settings.host, settings.port) if listener is None else socket.socket(fileno=listener)
    )
    if workers > 1:
        _refuse_mixed(chosen)
        run(run_workers(taken, workers, stop_within_s=settings.stop_within_s))
        return
    run(webserver.run(settings, taken, sorted(chosen - {"api"})))


def _settings(host: str | None, port: int | None) -> Settings:
    environment = dict(os.environ)
    if host is not None:
        environment["TOLLGATE_HOST"] = host
    if port is not None:
        environment["TOLLGATE_PORT"] = str(port)
    return read_settings(environment)


def _refuse_mixed(chosen: set[str]) -> None:
    if chosen != {"api"}:
        raise click.UsageError(
            "--workers is for `serve api` alone; run the other roles as processes of their own"
        )
