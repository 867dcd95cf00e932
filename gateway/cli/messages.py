"""`tollgate messages`: a tenant's messages."""

import time
from collections.abc import Callable
from typing import Any, Final

import click

from gateway.cli.calling import field, over_the_api, pairs, show_one, show_rows, wants_json
from gateway.client import Client, path_of

_FIELDS = (
    field("id"),
    field("status"),
    field("to"),
    field("country"),
    field("type"),
    field("parts"),
    field("created_at", title="created"),
    field("final_at", title="final"),
)
_FULL = (
    *_FIELDS,
    field("from"),
    field("body"),
    field("price", "estimated", title="price estimated"),
    field("price", "final", title="price final"),
    field("price", "credits", title="credits"),
    field("status_reason", "detail", title="reason"),
    field("provider", "message_id", title="AWS id"),
)
_EVENTS = (field("at"), field("source"), field("type"))
_GATES: Final = (
    field("gate"),
    field("verdict"),
    field("code"),
    field("opens_at", title="opens"),
    field("detail"),
)
_CANDIDATES: Final = (
    field("value", title="sender"),
    field("type"),
    field("country"),
    field("taken"),
    field("reason"),
    field("detail"),
)
_ESTIMATE_APART: Final = frozenset({"price", "offending"})
_FINAL: Final = frozenset({"delivered", "undelivered", "failed", "expired", "canceled", "unknown"})
_LOOK_EVERY_S: Final = 0.5


@click.group("messages")
def command() -> None:
    """Send, explain, estimate, list and follow messages with a tenant's key."""


def _of_message(work: Callable[..., None]) -> Callable[..., None]:
    """Give a command the recipient and the content of a message."""
    for option in (
        click.option(
            "--var",
            "variables",
            multiple=True,
            metavar="NAME=VALUE",
            help="Of the template; may be repeated.",
        ),
        click.option("--template", help="Name of an approved template."),
        click.option("--body", help="Free text, where the tenant may send it."),
        click.argument("to"),
    ):
        work = option(work)
    return work


_message_type = click.option(
    "--type", "message_type", type=click.Choice(["otp", "transactional", "promotional"])
)


def _content(
    to: str, body: str | None, template: str | None, variables: tuple[str, ...], message_type: str | None
) -> dict[str, Any]:
    if (body is None) == (template is None):
        raise click.UsageError("give either --body or --template")
    wanted: dict[str, Any] = {"to": to}
    if body is not None:
        wanted["body"] = body
    if template is not None:
        wanted["template"] = {"name": template, "variables": pairs(variables, "--var")}
    if message_type is not None:
        wanted["type"] = message_type
    return wanted


@command.command("send")
@_of_message
@_message_type
@click.option("--idempotency-key", help="The same key never sends twice.")
@click.option("--wait", is_flag=True, help="Until the message is final; exit 1 unless it was delivered.")
@over_the_api
def send(
    client: Client,
    *,
    to: str,
    body: str | None,
    template: str | None,
    variables: tuple[str, ...],
    message_type: str | None,
    idempotency_key: str | None,
    wait: bool,
) -> None:
    """Send one message to a number in E.164."""
    wanted = _content(to, body, template, variables, message_type)
    message = client.post("/v1/messages", wanted, idempotency_key=idempotency_key)
    if wait:
        message = _followed(client, message["id"])
    show_one(message, _FULL)
    if wait and message["status"] != "delivered":
        click.get_current_context().exit(1)


@command.command("estimate")
@_of_message
@over_the_api
def estimate(
    client: Client, *, to: str, body: str | None, template: str | None, variables: tuple[str, ...]
) -> None:
    """Show encoding, parts and price of a message without sending it."""
    found: dict[str, Any] = client.post(
        "/v1/messages/estimate", _content(to, body, template, variables, None)
    )
    price: dict[str, Any] = found.get("price") or {}
    plain = [field(name) for name in found if name not in _ESTIMATE_APART]
    prices = [field("price", name, title=f"price {name}") for name in price]
    show_one(found, [*plain, ("not GSM 03.38", _offending), *prices])


@command.command("explain")
@_of_message
@_message_type
@over_the_api
def explain(
    client: Client,
    *,
    to: str,
    body: str | None,
    template: str | None,
    variables: tuple[str, ...],
    message_type: str | None,
) -> None:
    """Show what would become of a message, gate by gate and sender by sender, without sending it."""
    wanted = _content(to, body, template, variables, message_type)
    found = client.post("/v1/messages/explain", wanted)
    if wants_json():
        show_one(found, ())
        return
    said = "It would be taken" if found["accepted"] else f"It would be refused with {found['refused_with']}"
    click.echo(f"{said}.\n")
    show_rows(found["gates"], _GATES, empty="No gate looked at it.")
    click.echo()
    show_rows(found["candidates"], _CANDIDATES, empty="The tenant has no senders.")


@command.command("list")
@click.option("--status")
@click.option("--country")
@click.option("--to", help="E.164.")
@click.option("--type", "message_type")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@over_the_api
def list_messages(
    client: Client,
    *,
    status: str | None,
    country: str | None,
    to: str | None,
    message_type: str | None,
    limit: int,
) -> None:
    """List messages, the newest first; a test key sees test messages."""
    query = {"status": status, "country": country, "to": to, "type": message_type}
    show_rows(client.rows("/v1/messages", limit=limit, **query), _FIELDS, empty="No message fits.")


@command.command("show")
@click.argument("message")
@over_the_api
def show(client: Client, *, message: str) -> None:
    """Show one message."""
    show_one(client.get(path_of("messages", message)), _FULL)


@command.command("events")
@click.argument("message")
@over_the_api
def events(client: Client, *, message: str) -> None:
    """List what happened to a message: our events and AWS's."""
    show_rows(
        client.get(path_of("messages", message, "events"))["data"], _EVENTS, empty="Nothing happened yet."
    )


@command.command("cancel")
@click.argument("message")
@over_the_api
def cancel(client: Client, *, message: str) -> None:
    """Stop a message that has not left; its hold is released."""
    show_one(client.post(path_of("messages", message, "cancel")), _FULL, before="Canceled.")


def _offending(found: Any) -> list[str]:
    return [f"{each['name']} at {each['position']}" for each in found["offending"]]


def _followed(client: Client, message_id: str) -> Any:
    while True:
        message = client.get(path_of("messages", message_id))
        if message["status"] in _FINAL:
            return message
        time.sleep(_LOOK_EVERY_S)
