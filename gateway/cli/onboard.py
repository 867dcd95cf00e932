"""`tollgate tenants onboard`: many tenants from a file, each as far as it goes without a carrier's review."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Final

import click
import phonenumbers
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.cli.calling import field, over_the_api, show_rows
from gateway.cli.onboard_file import BadFile, OnboardRow, read_rows
from gateway.cli.text_file import text_of
from gateway.client import ApiRefused, ApiUnreachable, Client, path_of

_RESULT: Final = (
    field("line"),
    field("slug"),
    field("tenant"),
    field("state"),
    field("detail"),
)
_AT_ONCE: Final = 4
_DELIVERED_WITHIN_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.3
_MOST_TENANTS: Final = 1_000_000


class Result(Struct, frozen=True, kw_only=True):
    """What became of one row."""

    line: int
    slug: str
    tenant: str
    state: str
    """`live`, the name of the step that waits, or `refused`."""
    detail: str


@click.command("onboard")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Read and check the file; make nothing.")
@click.option("--approve/--no-approve", default=True, show_default=True, help="Approve what is complete.")
@over_the_api
def onboard(client: Client, *, file: Path, dry_run: bool, approve: bool) -> None:
    """
    Onboard the tenants of FILE, a CSV with a row for each; needs the operator key.

    Each goes as far as it can: created, answered, approved, provisioned, tested, live. One that waits for a
    carrier says so. Run it again to go on; nothing is made twice.
    """
    try:
        rows = read_rows(text_of(file))
    except BadFile as error:
        raise click.UsageError(f"{file}: {error}") from error
    if dry_run:
        click.echo(f"{len(rows)} tenants can be read; nothing was made.")
        return
    known = {row["slug"]: row["id"] for row in client.rows(path_of("admin", "tenants"), limit=_MOST_TENANTS)}
    results = _all(client, rows, known, approve=approve)
    show_rows([_shown(result) for result in results], _RESULT, empty="The file has no rows.")
    if any(result.state == "refused" for result in results):
        raise click.exceptions.Exit(1)


def _all(client: Client, rows: list[OnboardRow], known: Mapping[str, str], *, approve: bool) -> list[Result]:
    columns = (TextColumn("onboarding"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    results: list[Result] = []
    with (
        Progress(*columns, console=Console(stderr=True)) as progress,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        bar = progress.add_task("onboarding", total=len(rows))
        tasks = [pool.submit(_one, client, row, known.get(row.slug), approve=approve) for row in rows]
        try:
            for task in as_completed(tasks):
                results.append(task.result())
                progress.advance(bar)
        except BaseException:  # Ctrl-C too: what is begun ends, and nothing else begins
            pool.shutdown(cancel_futures=True)
            raise
    return sorted(results, key=lambda result: result.line)


def _one(client: Client, row: OnboardRow, tenant: str | None, *, approve: bool) -> Result:
    """Take one tenant as far as it goes; a refusal stays with its row."""
    try:
        tenant = tenant or _created(client, row)
        return _taken_on(client, row, tenant, approve=approve)
    except (ApiRefused, ApiUnreachable) as error:
        return Result(line=row.line, slug=row.slug, tenant=tenant or "-", state="refused", detail=str(error))


def _created(client: Client, row: OnboardRow) -> str:
    reach = row.answers.get("reach", {})
    body = {
        "name": row.name,
        "slug": row.slug,
        "model": row.model,
        "countries": reach.get("countries", []),
    }
    made = client.post(path_of("admin", "tenants"), body, idempotency_key=f"onboard {row.slug}")
    return str(made["id"])


def _taken_on(client: Client, row: OnboardRow, tenant: str, *, approve: bool) -> Result:
    path = path_of("admin", "tenants", tenant, "onboarding")
    seen = client.get(path)
    if seen["live_at"] is None and seen["approved_at"] is None and row.answers:
        seen = client.call("PATCH", path, row.answers).body
    if approve and seen["approved_at"] is None and _next(seen) == "registrations":
        seen = client.post(f"{path}/approve", {"version": seen["version"]})
    if _next(seen) == "provisioning" and _state(seen, "provisioning") == "open":
        senders: dict[str, Any] = seen["answers"]["senders"] or {}
        choices: list[Any] = senders.get("choices", [])
        client.post(path_of("admin", "tenants", tenant, "provision"), {"senders": choices})
        seen = client.get(path)
    if _next(seen) == "sandbox_test":
        _try_out(client, seen["answers"], f"onboard {row.slug}", tenant)
        seen = client.get(path)
    if _next(seen) == "live":
        seen = client.post(f"{path}/go-live")
    return _result(row, tenant, seen)


def _next(seen: dict[str, Any]) -> str | None:
    step: str | None = seen["next"]
    return step


def _state(seen: dict[str, Any], name: str) -> str:
    return next(str(step["state"]) for step in seen["steps"] if step["name"] == name)


def _try_out(client: Client, answers: dict[str, Any], idempotency_key: str, tenant: str) -> None:
    """
    Send the sample to the sandbox with a test key of its own, and wait for the receipt.

    Of the answers as they were approved: a file that is run again need not repeat them.
    """
    keys = path_of("admin", "tenants", tenant, "api-keys")
    key = client.post(keys, {"mode": "test", "name": "onboarding"})
    tester = client.speaking(key["secret"])
    try:
        programme = answers["use_cases"]["programmes"][0]
        text = {
            "to": _number_in(answers["reach"]["countries"][0]),
            "type": programme["type"],
            "body": programme["samples"][0],
        }
        sent = tester.post(path_of("messages"), text, idempotency_key=idempotency_key)
        until = time.monotonic() + _DELIVERED_WITHIN_S
        while time.monotonic() < until:
            if tester.get(path_of("messages", sent["id"]))["status"] == "delivered":
                return
            time.sleep(_LOOK_EVERY_S)
    finally:
        client.delete(f"{keys}/{key['id']}")


def _number_in(country: str) -> str:
    """Return a number that looks like a phone of the country; the sandbox reaches nobody."""
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    if example is None:
        raise click.UsageError(f"nobody knows what a phone number of {country} looks like")
    return phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)


def _result(row: OnboardRow, tenant: str, seen: dict[str, Any]) -> Result:
    if seen["next"] is None:
        return Result(line=row.line, slug=row.slug, tenant=tenant, state="live", detail="")
    step = next(step for step in seen["steps"] if step["name"] == seen["next"])
    return Result(line=row.line, slug=row.slug, tenant=tenant, state=step["name"], detail=step["detail"])


def _shown(result: Result) -> dict[str, Any]:
    return {name: getattr(result, name) for name in result.__struct_fields__}
