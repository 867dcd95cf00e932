"""The snippets of the page "test your SMS code without AWS", run as they are printed there."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.emulator.conftest import Aws, emulated

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "test-without-aws.md"
PRINTED_URL = "http://127.0.0.1:4579"
MESSAGE_ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture
async def aws() -> AsyncIterator[Aws]:
    """An emulator of this test."""
    async with emulated() as running:
        yield running


def snippet(heading: str, base_url: str) -> str:
    """Return the code below a heading of the page, pointed at an emulator."""
    _, _, below = PAGE.read_text().partition(f"### {heading}\n")
    found = re.search(r"```\w+\n(.*?)```", below, re.DOTALL)
    assert found is not None, heading
    return found[1].replace(PRINTED_URL, base_url)


async def run(folder: Path, *command: str) -> str:
    """Run a program that knows nothing but what the snippet tells it, and return what it prints."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()
    return printed.decode()


async def sent(aws: Aws) -> list[str]:
    """Return the ids of the texts that have been taken."""
    return [each["message_id"] for each in (await aws.control("GET", "messages"))["data"]]


async def test_the_python_snippet_sends_a_text(aws: Aws, tmp_path: Path) -> None:
    """It prints the id."""
    printed = await run(tmp_path, sys.executable, "-c", snippet("Python (boto3)", aws.base_url))
    assert await sent(aws) == [printed.strip()]


async def test_the_command_line_snippet_sends_a_text(aws: Aws, tmp_path: Path) -> None:
    """It leases a number and lets AWS choose it for the text."""
    session = snippet("AWS CLI", aws.base_url)
    commands = re.sub(r"^\$ ", "", session, flags=re.MULTILINE)
    printed = await run(tmp_path, "bash", "-ec", commands)
    [message_id] = await sent(aws)
    assert re.fullmatch(MESSAGE_ID, message_id)
    assert f'"MessageId": "{message_id}"' in printed
