"""`tollgate keys`: API keys, of one's own tenant or, for the operator, of any."""

import click

from gateway.cli.calling import field, over_the_api, show_one, show_rows
from gateway.client import Client, path_of

_FIELDS = (
    field("id"),
    field("mode"),
    field("name"),
    field("hint"),
    field("scopes"),
    field("created_at", title="created"),
    field("revoked_at", title="revoked"),
)
_SECRET = (field("id"), field("mode"), field("secret"))


@click.group("keys")
def command() -> None:
    """Create, list and revoke API keys; with --tenant and the operator key those of any tenant."""


@command.command("list")
@click.option("--tenant", help="ten_…; needs the operator key.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@over_the_api
def list_keys(client: Client, *, tenant: str | None, limit: int) -> None:
    """List keys, the newest first; secrets are never shown again."""
    show_rows(client.rows(_path(tenant), limit=limit), _FIELDS, empty="There are no keys yet.")


@command.command("create")
@click.option("--tenant", help="ten_…; needs the operator key.")
@click.option("--mode", type=click.Choice(["live", "test"]), default="test", show_default=True)
@click.option("--name", default="", help="For people to tell keys apart.")
@click.option("--scope", "scopes", multiple=True, help="May be repeated; none: all that a tenant may do.")
@over_the_api
def create_key(client: Client, *, tenant: str | None, mode: str, name: str, scopes: tuple[str, ...]) -> None:
    """Create a key and show its secret, this once."""
    body = {"mode": mode, "name": name, "scopes": list(scopes)}
    show_one(client.post(_path(tenant), body), _SECRET, before="Created. The secret is shown this once.")


@command.command("revoke")
@click.argument("key_id")
@click.option("--tenant", help="ten_…; needs the operator key.")
@over_the_api
def revoke_key(client: Client, *, key_id: str, tenant: str | None) -> None:
    """End a key; in force everywhere within 5 s."""
    row = client.call("DELETE", _path(tenant, key_id)).body
    show_one(row, _FIELDS, before="Revoked.")


def _path(tenant: str | None, *key_id: str) -> str:
    owner = () if tenant is None else ("admin", "tenants", tenant)
    return path_of(*owner, "api-keys", *key_id)
