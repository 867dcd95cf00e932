"""The committed OpenAPI document is the served one, so that a change of the outside shows in its diff."""

import json
import os
import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"
READ_BY_POST = {
    "/v1/admin/aws-accounts/{account_id}/check",
    "/v1/admin/tenants/{tenant_id}/migration/plan",
    "/v1/admin/tenants/{tenant_id}/provision/plan",
    "/v1/ingest/firehose",
    "/v1/ingest/sns",
    "/v1/messages/estimate",
    "/v1/messages/explain",
    "/v1/registrations/lint",
    "/v1/senders/advice",
    "/v1/senders/plan-sheet",
}
"""What changes nothing, or is AWS's to repeat."""


async def test_the_committed_document_is_the_served_one(world) -> None:
    """
    A name in the API is a promise; breaking one must be seen in review.

    Written anew with `UPDATE_OPENAPI=1 pytest tests/contract/test_openapi_document.py`.
    """
    async with world.client() as nobody:
        served = (await nobody.get("/openapi.json")).json()
    served.pop("servers", None)
    text = json.dumps(served, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_OPENAPI"):
        DOCUMENT.write_text(text, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == text


def test_schemas_have_names_that_a_client_can_be_made_of() -> None:
    """Generators make classes of them: a name with the gateway's modules in it changes when a file moves."""
    schemas = json.loads(DOCUMENT.read_text(encoding="utf-8"))["components"]["schemas"]
    names = {*schemas, *(each["title"] for each in schemas.values() if "title" in each)}
    assert [name for name in names if re.fullmatch("[A-Z][A-Za-z0-9]*", name) is None] == []


async def test_every_post_that_changes_something_takes_an_idempotency_key() -> None:
    """A key that is silently ignored is worse than none: its sender repeats the request."""
    paths = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
    posts = {path: methods["post"]["responses"] for path, methods in paths.items() if "post" in methods}
    assert {path for path, said in posts.items() if "idempotency" not in json.dumps(said)} == READ_BY_POST
