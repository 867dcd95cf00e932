"""
The OpenAPI document is true of a running gateway: generated requests meet no 5xx and no undocumented answer.

SCHEMA_EXAMPLES is the number of generated requests per operation; SCHEMA_ONLY is a regular expression for how
the paths to ask go on behind `/`, or `/v1/admin/`; SCHEMA_REPORTS is a directory to leave the reports in.
"""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.harness.numbers import us_number
from tests.harness.stack import OPERATOR_KEY

EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "5"))
ONLY = os.environ.get("SCHEMA_ONLY", "")
REPORTS = os.environ.get("SCHEMA_REPORTS")
_OPERATOR = "^/v1/admin"
_BREAKS_THE_WORLD = "put_aws_account"
"""It points the default route at hosts that do not answer, and later requests rightly get 503: so last."""
_WHO = {
    "tenant": ("--exclude-path-regex", _OPERATOR, "--include-path-regex", f"^/{ONLY}"),
    "operator": (
        "--include-path-regex", f"{_OPERATOR}/{ONLY}", "--exclude-operation-id", _BREAKS_THE_WORLD,
    ),
    "operator, last": ("--include-operation-id", _BREAKS_THE_WORLD),
}  # fmt: skip
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method"
)
"""Not asked: whether what the schema allows is taken. Rules between fields have no words there."""


_CONFIGURATION = """
[parameters]
"path.tenant_id" = "{tenant}"
"path.account_id" = "{account}"
"path.template_id" = "{template}"
"path.message_id" = "{message}"
"path.endpoint_id" = "{endpoint}"
"path.delivery_id" = "{delivery}"
"path.sender_id" = "{sender}"

[[operations]]
include-name = [
  "POST /v1/admin/tenants/{{tenant_id}}/close",
  "POST /v1/admin/tenants/{{tenant_id}}/suspend",
  "POST /v1/admin/tenants/{{tenant_id}}/provision/teardown",
]
parameters = {{ "path.tenant_id" = "{doomed}" }}

[[operations]]
include-name = [
  "DELETE /v1/webhook-endpoints/{{endpoint_id}}",
  "DELETE /v1/admin/webhook-endpoints/{{endpoint_id}}",
]
parameters = {{ "path.endpoint_id" = "{doomed_endpoint}" }}
"""
"""Things that are there: of ids that nobody has, most answers would be 404, and little would be tried."""


async def _hook(api, base) -> str:
    """Make a webhook endpoint that is told nothing but what is asked for; its id."""
    made = await api.post(base, json={"url": "https://hooks.example/x", "events": ["alarm.cleared"]})
    assert made.is_success, made.text
    return made.json()["id"]


async def _configured(stack, customer, who) -> str:
    """Make a thing of each kind that paths name, and say so to the generator."""
    is_tenant = who == "tenant"
    api = customer.live if is_tenant else stack.operator
    hooks = "/v1/webhook-endpoints" if is_tenant else "/v1/admin/webhook-endpoints"
    doomed = await stack.customer()
    [account] = (await stack.operate("get", "/v1/admin/aws-accounts"))["data"]
    senders = (await customer.live.get("/v1/senders")).json()["data"]
    message = await customer.test.post("/v1/messages", json={"to": us_number(), "body": "Hello"})
    hook = await _hook(api, hooks)
    tested = await api.post(f"{hooks}/{hook}/test")
    return _CONFIGURATION.format(
        tenant=customer.id,
        doomed=doomed.id,
        account=account["id"],
        template=await stack.approved_template(customer, body="A customer: hello"),
        message=message.json()["id"],
        endpoint=hook,
        delivery=tested.json()["id"],
        doomed_endpoint=await _hook(api, hooks),
        sender=senders[0]["id"],
    )


@pytest.mark.parametrize("who", _WHO)
async def test_generated_requests_get_documented_answers(stack, tmp_path, who):
    """Whoever generates a client from the document must never meet an answer that is not in it."""
    customer = await stack.customer()
    bearer = customer.test.headers["authorization"] if who == "tenant" else f"Bearer {OPERATOR_KEY}"
    document = tmp_path / "openapi.json"
    document.write_bytes((await stack.operator.get("/openapi.json")).content)
    program = str(Path(sys.executable).with_name("schemathesis"))
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(await _configured(stack, customer, who), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        program, "--config-file", str(configuration), "run", str(document),
        "--url", stack.settings.public_url,
        "-H", f"Authorization: {bearer}", "--checks", CHECKS, "--phases", "coverage,fuzzing",
        "--max-examples", str(EXAMPLES), "--continue-on-failure", "--no-color", "--request-timeout", "20",
        "--exclude-method", "OPTIONS", *_WHO[who],
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    wrote, _ = await process.communicate()
    if REPORTS:
        (Path(REPORTS) / f"schema-{who}.txt").write_bytes(wrote)
    assert process.returncode == 0, wrote.decode().partition("= FAILURES =")[2][:8000]
    assert b"Tested: 0" not in wrote
