"""The committed OpenAPI document is the served one, so that a change of the outside shows in its diff."""

import json
import os
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
