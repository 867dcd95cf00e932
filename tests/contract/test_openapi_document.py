"""The committed OpenAPI document is the served one, so that a change of the outside shows in its diff."""

import json
import os
import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"


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
    names = json.loads(DOCUMENT.read_text(encoding="utf-8"))["components"]["schemas"]
    assert [name for name in names if re.fullmatch("[A-Z][A-Za-z0-9]*", name) is None] == []
