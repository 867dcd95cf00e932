"""The aws command line, in a process of its own, pointed at an emulator."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

SERVICE = "pinpoint-sms-voice-v2"
_HOST = Path(__file__).with_name("cli_host.py")
_LONGEST_LINE = 1 << 22


class CliRefusedError(Exception):
    """The command ended with an error; the text is what it printed."""


class CliProcess:
    """A process that runs commands one after another; see ``cli_host``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    async def run(self, *arguments: str) -> Any:
        """
        Run one command and return what it printed, decoded.

        Raises:
            CliRefusedError: The exit status was not 0.
        """
        async with self._turn:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(arguments).encode() + b"\n")
            answer = json.loads(await self._process.stdout.readline())
        if answer["status"] != 0:
            raise CliRefusedError(answer["complaint"].strip())
        return json.loads(answer["printed"]) if answer["printed"] else None


class AwsCli:
    """Types ``aws --endpoint-url <emulator> pinpoint-sms-voice-v2 ...`` and reads the JSON."""

    def __init__(self, process: CliProcess, endpoint_url: str) -> None:
        self._process = process
        self._options = ("--endpoint-url", endpoint_url, "--output", "json")

    async def run(self, action: str, *arguments: str, service: str = SERVICE) -> Any:
        """
        Run one command and return what it printed, decoded.

        Raises:
            CliRefusedError: The exit status was not 0.
        """
        return await self._process.run(*self._options, service, action, *arguments)

    async def one(self, action: str, *arguments: str) -> dict[str, Any]:
        """Run a Describe command and return the only item that it lists."""
        answer = await self.run(action, *arguments)
        [[item]] = [value for value in answer.values() if isinstance(value, list)]
        return item


def environment(home: Path) -> dict[str, str]:
    """Return an environment in which no file or variable of the person running this has a say."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }


def prepare(home: Path) -> None:
    """Write the one setting that is needed: version 1 would fetch a value that begins with https://."""
    settings = home / ".aws" / "config"
    settings.parent.mkdir()
    settings.write_text("[default]\ncli_follow_urlparam = false\n")


@contextlib.asynccontextmanager
async def cli_process(home: Path) -> AsyncIterator[CliProcess]:
    """Run the command line for the length of a block."""
    prepare(home)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(_HOST)),
        env=environment(home),
        cwd=home,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )
    try:
        yield CliProcess(process)
    finally:
        await process.communicate(b"")
