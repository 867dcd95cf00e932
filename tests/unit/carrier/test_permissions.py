"""What credentials have to be allowed, as the page for operators says it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import botocore.session
from botocore import xform_name

ROOT = Path(__file__).parents[3]
SERVICES = {"sms-voice": "pinpoint-sms-voice-v2", "sns": "sns"}
OF_CREATION = {"sms-voice:TagResource"}
"""Asked of whoever makes something with tags; no call of its own."""


def said() -> set[str]:
    """The actions on the page, as `service:Action`."""
    page = (ROOT / "docs/how-to/run-on-aws.md").read_text(encoding="utf-8")
    lines = re.findall(r"^(sms-voice|sns):(.+)$", page, flags=re.MULTILINE)
    return {f"{service}:{action.strip()}" for service, actions in lines for action in actions.split(",")}


def words() -> Iterator[str]:
    """Every string and every attribute in the code that speaks to AWS."""
    for source in (ROOT / "gateway" / "carrier").rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                yield node.attr
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def called() -> set[str]:
    """The actions that are named there."""
    session, named = botocore.session.get_session(), set(words())
    return {
        f"{prefix}:{action}"
        for prefix, service in SERVICES.items()
        for action in session.get_service_model(service).operation_names
        if named & {action, xform_name(action)}
    }


def test_the_page_names_every_action_that_is_called_and_no_other() -> None:
    """A role that was made by a page that lacks one refuses it on the day on which it is needed."""
    shared = {"sns:ListTagsForResource"}  # the same name at both, asked of the first
    assert said() == called() - shared | OF_CREATION
