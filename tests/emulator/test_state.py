"""The state file: nothing that was answered is lost, whatever ends the process."""

import asyncio
import os
import re
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import aioboto3
import aiohttp
import msgspec
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from gateway.emulator.options import EmulatorOptions
from gateway.emulator.server import running_emulator
from gateway.emulator.state.journal import StateInUseError, StateUnusableError
from gateway.emulator.state.records import Record
from tests.emulator.conftest import ONE_ATTEMPT, REGION, Sink, emulated


async def test_resources_subscriptions_key_and_settings_survive_a_restart(tmp_path: Path, sink: Sink) -> None:
    """A developer's emulator is as it was left."""
    state = tmp_path / "state"
    async with emulated(state=state) as aws:
        number = await aws.number()
        await aws.configuration_set(sink)
        await aws.control("POST", "carriers", {"US": {"outcomes": {"BLOCKED": 1}}})
        certificate = sink.envelopes[0]["SigningCertURL"].rpartition("/")[2]
    async with emulated(state=state) as aws:
        [kept] = (await aws.sms.describe_phone_numbers())["PhoneNumbers"]
        assert kept["PhoneNumberArn"] == number["PhoneNumberArn"]
        message_id = await aws.send(
            "+14255550100", OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName="events"
        )
        assert (await sink.final(message_id))["eventType"] == "TEXT_BLOCKED"
        assert sink.notifications[-1]["SigningCertURL"].rpartition("/")[2] == certificate


async def test_what_a_month_has_cost_survives_a_restart(tmp_path: Path) -> None:
    """A spend limit that is nearly reached is not far away again."""
    state = tmp_path / "state"
    async with emulated(state=state) as aws:
        number = await aws.number()
        await aws.control("POST", "carriers", {"US": {"price": "0.6", "fee": "0"}})
        await aws.sms.set_text_message_spend_limit_override(MonthlyLimit=1)
        await aws.send("+14255550100", OriginationIdentity=number["PhoneNumberId"])
    async with emulated(state=state) as aws:
        with pytest.raises(ClientError) as refused:
            await aws.send("+14255550100", OriginationIdentity=number["PhoneNumberId"])
        assert refused.value.response["Reason"] == "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"


async def test_receipts_that_were_pending_leave_after_the_restart(tmp_path: Path, sink: Sink) -> None:
    """What was accepted keeps its life; only a post that the stop cut off comes twice, as SNS's may."""
    state = tmp_path / "state"
    async with emulated(state=state, latency_scale=5.0) as aws:
        number = await aws.number()
        name = await aws.configuration_set(sink)
        message_id = await aws.send(OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name)
        await sink.until(lambda: len(sink.events) == 1)
        await asyncio.sleep(0.1)
    async with emulated(state=state):
        await sink.final(message_id)
    posted = [each["eventType"] for each in sink.events]
    assert list(dict.fromkeys(posted)) == ["TEXT_QUEUED", "TEXT_PENDING", "TEXT_SUCCESSFUL", "TEXT_DELIVERED"]
    assert len(posted) <= len(set(posted)) + 1


async def test_a_torn_last_line_is_dropped(tmp_path: Path) -> None:
    """The mark of a kill inside a write."""
    state = tmp_path / "state"
    async with emulated(state=state) as aws:
        await aws.sms.create_configuration_set(ConfigurationSetName="kept")
    with state.open("ab") as file:
        file.write(b'{"record":"ConfigurationSet","scope":"1234')
    async with emulated(state=state) as aws:
        found = (await aws.sms.describe_configuration_sets())["ConfigurationSets"]
        assert [each["ConfigurationSetName"] for each in found] == ["kept"]


async def test_a_state_file_serves_one_emulator_at_a_time(tmp_path: Path) -> None:
    """Two writers would tear it."""
    options = EmulatorOptions(port=0, state=tmp_path / "state")
    async with running_emulator(options):
        with pytest.raises(StateInUseError):
            async with running_emulator(options):
                pass


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[settings]\nname = 1\n", "line 1 of {path} is no record ("),
        (b"notes without an end of line", "line 1 of {path} is no record ("),
        (b'{"record":"Nonsense","scope":"1/us-east-1"}\n', "is of another version of the emulator ("),
        (b'{"record":"Pool","scope":"1/us-east-1"}\n', "is of another version of the emulator ("),
        (b"\xff\xfe\n", "line 1 of {path} is no record ("),
    ],
)
async def test_a_file_that_is_no_journal_is_named_and_left_as_it_is(tmp_path: Path, content, said) -> None:
    """It may be somebody's notes: a torn line is dropped only where a record was torn."""
    path = tmp_path / "state"
    path.write_bytes(content)
    with pytest.raises(StateUnusableError, match=re.escape(said.format(path=path))):
        async with running_emulator(EmulatorOptions(port=0, state=path)):
            pass
    assert path.read_bytes() == content


async def test_what_is_no_file_is_no_state_file(tmp_path: Path) -> None:
    """A device would be replaced, a pipe be waited for without an end."""
    pipe, file = tmp_path / "pipe", tmp_path / "file"
    os.mkfifo(pipe)
    file.touch()
    for path, said in (
        (tmp_path, f"{tmp_path} is a folder: name a file"),
        (pipe, f"{pipe} is no plain file: name a file"),
        (file / "state", "cannot be written: "),
    ):
        with pytest.raises(StateUnusableError, match=re.escape(said)):
            async with running_emulator(EmulatorOptions(port=0, state=path)):
                pass


@pytest.mark.parametrize("program", [("gateway.emulator",), ("gateway", "emulator")])
async def test_a_refused_state_file_is_one_sentence(tmp_path: Path, program) -> None:
    """Whoever mistyped a path reads which, and what to do."""
    path = tmp_path / "notes"
    path.write_text("nothing of the emulator's\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *program, "--port", "0", "--state", str(path), stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    [line] = said.decode().splitlines()
    assert "the emulator cannot start: line 1 of" in line
    assert line.endswith("name another file, or remove this one")


async def test_it_takes_the_same_options_alone_and_as_a_command() -> None:
    """Each had some that the other refused."""
    said: list[list[str]] = []
    for program in (("gateway.emulator",), ("gateway", "emulator")):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *program, "--help", stdout=asyncio.subprocess.PIPE
        )
        words = (await process.communicate())[0].decode().split()
        said.append([word for word in words if word.startswith("--")])
    alone, command = said
    assert alone == command
    assert {"--sns-retries", "--signing-key-bits"} <= set(alone)


async def test_reset_forgets_all_but_the_signing_key(tmp_path: Path) -> None:
    """Also on disk."""
    state = tmp_path / "state"
    async with emulated(state=state) as aws:
        await aws.number()
        await aws.control("POST", "reset")
        assert (await aws.sms.describe_phone_numbers())["PhoneNumbers"] == []
    assert [msgspec.json.decode(line)["record"] for line in state.read_bytes().splitlines()] == ["SigningKey"]


async def test_only_the_newest_finished_messages_are_kept_in_memory() -> None:
    """A ring bounds the memory of long runs."""
    async with emulated(retained_messages=50) as aws:
        number = await aws.number()
        for n in range(120):
            await aws.send(f"+1425555{n:04d}", OriginationIdentity=number["PhoneNumberId"])
        listed = await aws.control("GET", "messages")
        assert listed["total"] == 50
        assert listed["data"][-1]["destination"] == "+14255550119"
        assert (await aws.control("GET", "stats"))["accepted_sends"] == 120


class Process:
    """The emulator as a process of its own that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._arguments = [
            "--port",
            str(self.port),
            "--state",
            str(folder / "state"),
            "--truth-log",
            str(folder / "truth"),
        ]
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start and wait until it answers."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway.emulator", *self._arguments
        )
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(self.base_url + "/healthz") as answer:
                        assert answer.status == 200
                        return
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.02)

    async def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        return await self._process.wait()


@pytest.mark.scenario
async def test_kill_nine_loses_no_accepted_send_and_no_receipt(tmp_path: Path, sink: Sink) -> None:
    """Three kills in mid-load: every answered send is in the truth log and gets its final event."""
    process = Process(tmp_path)
    await process.start()
    answered: list[str] = []
    session = aioboto3.Session(aws_access_key_id="AKID", aws_secret_access_key="secret", region_name=REGION)
    async with (
        session.client("pinpoint-sms-voice-v2", endpoint_url=process.base_url, config=ONE_ATTEMPT) as sms,
        session.client("sns", endpoint_url=process.base_url, config=ONE_ATTEMPT) as sns,
    ):
        request = await _set_up(sms, sns, sink)
        for round_ in range(3):
            progress = asyncio.Semaphore(0)
            load = asyncio.create_task(_load(sms, request, round_, answered, progress))
            async with asyncio.timeout(60):
                for _ in range(40):
                    await progress.acquire()
            assert await process.end(signal.SIGKILL) == -signal.SIGKILL
            await process.start()
            await load
    finals = {each["messageId"] for each in sink.events if each["isFinal"]}
    await sink.until(lambda: set(answered) <= _finals(sink), 30)
    assert len(answered) >= 3 * 40
    assert finals <= _finals(sink)
    assert await process.end(signal.SIGTERM) == 0
    truth = {
        msgspec.json.decode(line)["message_id"] for line in (tmp_path / "truth").read_bytes().splitlines()
    }
    assert set(answered) <= truth


def _finals(sink: Sink) -> set[str]:
    return {each["messageId"] for each in sink.events if each["isFinal"]}


async def _set_up(sms: Any, sns: Any, sink: Sink) -> dict[str, str]:
    topic = (await sns.create_topic(Name="events"))["TopicArn"]
    await sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=sink.url)
    await sink.confirmed(topic)
    await sms.create_configuration_set(ConfigurationSetName="set")
    await sms.create_event_destination(
        ConfigurationSetName="set",
        EventDestinationName="d",
        MatchingEventTypes=["TEXT_ALL"],
        SnsDestination={"TopicArn": topic},
    )
    number = await sms.request_phone_number(
        IsoCountryCode="US", MessageType="TRANSACTIONAL", NumberCapabilities=["SMS"], NumberType="TOLL_FREE"
    )
    return {
        "OriginationIdentity": number["PhoneNumberId"],
        "ConfigurationSetName": "set",
        "MessageBody": "hi",
    }


async def _load(
    sms: Any, request: dict[str, str], round_: int, answered: list[str], progress: asyncio.Semaphore
) -> None:
    async def one(n: int) -> None:
        try:
            sent = await sms.send_text_message(DestinationPhoneNumber=f"+1425{round_}55{n:04d}", **request)
        except (BotoCoreError, ClientError, OSError):
            return
        answered.append(sent["MessageId"])
        progress.release()

    for batch in range(20):
        await asyncio.gather(*(one(batch * 10 + n) for n in range(10)))


def test_a_record_without_a_key_cannot_be_made() -> None:
    """The journal replays records by their keys; whoever adds a kind of record must give it one."""

    class Keyless(Record):
        pass

    with pytest.raises(TypeError, match="key"):
        Keyless(scope="here")  # type: ignore[abstract]
