"""
The OpenAPI document is true of a running gateway: generated requests meet no 5xx and no undocumented answer.

SCHEMA_EXAMPLES is the number of generated requests per operation.
"""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.harness.stack import OPERATOR_KEY

EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "5"))
_OPERATOR = "^/v1/admin"
_NOT_GENERATED = "^/v1/ingest"
"""Envelopes need a signature; tests of their own forge them by the thousand."""
_BREAKS_THE_WORLD = "put_aws_account"
"""It points the default route at hosts that do not answer, and every later request rightly gets 503."""
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method"
)
"""Not asked: whether what the schema allows is taken. Rules between fields have no words there."""


@pytest.mark.parametrize("who", ["tenant", "operator"])
async def test_generated_requests_get_documented_answers(stack, who):
    """Whoever generates a client from the document must never meet an answer that is not in it."""
    customer = await stack.customer()
    bearer, chosen = {
        "tenant": (
            customer.test.headers["authorization"],
            ["--exclude-path-regex", f"{_OPERATOR}|{_NOT_GENERATED}"],
        ),
        "operator": (f"Bearer {OPERATOR_KEY}", ["--include-path-regex", _OPERATOR]),
    }[who]
    program = str(Path(sys.executable).with_name("schemathesis"))
    process = await asyncio.create_subprocess_exec(
        program, "run", f"{stack.settings.public_url}/openapi.json",
        "-H", f"Authorization: {bearer}", "--checks", CHECKS, "--phases", "coverage,fuzzing",
        "--max-examples", str(EXAMPLES), "--continue-on-failure", "--no-color", "--request-timeout", "20",
        "--exclude-method", "OPTIONS", "--exclude-operation-id", _BREAKS_THE_WORLD, *chosen,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    wrote, _ = await process.communicate()
    assert process.returncode == 0, wrote.decode().partition("= FAILURES =")[2][:8000]
    assert b"Tested: 0" not in wrote
