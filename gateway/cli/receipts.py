"""`tollgate receipts`: the roads by which delivery events come in, and what got stuck on them."""

import click

from gateway.cli.calling import field, over_the_api, show_one, show_rows
from gateway.client import Client, path_of

_QUEUE = (field("id"), field("account"), field("url"), field("signed_only"))
_LETTER = (
    field("id"),
    field("reason"),
    field("receives"),
    field("sent_at", title="sent"),
    field("size_bytes", title="bytes"),
    field("excerpt"),
)
_KEY = (
    field("id"),
    field("account"),
    field("hint"),
    field("created_at", title="created"),
    field("revoked_at"),
)
_NEW_KEY = (field("id"), field("access_key"), field("endpoint_url"))
_PARKED = (
    field("received_at", title="received"),
    field("reason"),
    field("detail"),
    field("provider_message_id", title="AWS message id"),
)


@click.group("receipts")
def command() -> None:
    """See and set the roads in: queues, Firehose keys, what got stuck. Needs the operator key."""


@command.command("queues")
@over_the_api
def queues(client: Client) -> None:
    """List the SQS queues that are read."""
    rows = client.get(path_of("admin", "receipt-queues"))["data"]
    show_rows(rows, _QUEUE, empty="No queue is read.")


@command.command("add-queue")
@click.argument("account")
@click.argument("url")
@click.option("--signed-only", is_flag=True, help="Refuse what carries no SNS signature.")
@over_the_api
def add_queue(client: Client, *, account: str, url: str, signed_only: bool) -> None:
    """Read a queue with an account's credentials; every receipts process begins within seconds."""
    body = {"account": account, "url": url, "signed_only": signed_only}
    show_one(client.post(path_of("admin", "receipt-queues"), body), _QUEUE, before="Reading.")


@command.command("remove-queue")
@click.argument("queue")
@over_the_api
def remove_queue(client: Client, *, queue: str) -> None:
    """Stop reading a queue; what is in it stays in it."""
    client.call("DELETE", path_of("admin", "receipt-queues", queue))
    click.echo("Removed.")


@command.command("dead-letters")
@click.argument("queue")
@click.option("--limit", type=click.IntRange(1, 100), default=50, show_default=True)
@over_the_api
def dead_letters(client: Client, *, queue: str, limit: int) -> None:
    """Look into a queue's dead-letter queue: what the gateway would not take, and why."""
    path = path_of("admin", "receipt-queues", queue, "dead-letters")
    show_rows(client.get(path, limit=limit)["data"], _LETTER, empty="There are no dead letters.")


@command.command("redrive")
@click.argument("queue")
@click.argument("letters", nargs=-1)
@over_the_api
def redrive(client: Client, *, queue: str, letters: tuple[str, ...]) -> None:
    """Move dead letters back into their queue: those named, or all."""
    body = {"letters": list(letters)} if letters else {}
    answer = client.post(path_of("admin", "receipt-queues", queue, "redrive"), body)
    show_one(answer, (field("moved"),))


@command.command("firehose-keys")
@over_the_api
def firehose_keys(client: Client) -> None:
    """List the access keys of Firehose streams."""
    rows = client.get(path_of("admin", "firehose-keys"))["data"]
    show_rows(rows, _KEY, empty="There are no keys.")


@command.command("new-firehose-key")
@click.argument("account")
@over_the_api
def new_firehose_key(client: Client, *, account: str) -> None:
    """Create an access key for an account's streams; it is shown this once."""
    answer = client.post(path_of("admin", "firehose-keys"), {"account": account})
    show_one(answer, _NEW_KEY, before="Set these in the stream's HTTP endpoint destination:")


@command.command("revoke-firehose-key")
@click.argument("key_id")
@over_the_api
def revoke_firehose_key(client: Client, *, key_id: str) -> None:
    """Revoke an access key; in force everywhere within five seconds."""
    answer = client.call("DELETE", path_of("admin", "firehose-keys", key_id)).body
    show_one(answer, _KEY, before="Revoked.")


@command.command("parked")
@click.option("--reason", help="no_message, foreign, inbound, unreadable, unstorable or unbelieved.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@over_the_api
def parked(client: Client, *, reason: str | None, limit: int) -> None:
    """List events that move no message, the newest first."""
    query = {} if reason is None else {"reason": reason}
    rows = client.rows(path_of("admin", "parked-receipts"), limit=limit, **query)
    show_rows(rows, _PARKED, empty="Nothing is parked.")


@command.command("retry")
@click.argument("reason")
@over_the_api
def retry(client: Client, *, reason: str) -> None:
    """Read and apply the parked events of one reason again."""
    answer = client.post(path_of("admin", "parked-receipts", "retry"), {"reason": reason})
    show_one(answer, (field("applied"), field("parked")))
