"""What a newcomer does first: `tollgate demo`, then `tollgate dev` and the README's own examples."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gateway.client import Client
from gateway.settings import read_settings, to_environment
from gateway.stack.ports import settled_port
from gateway.stack.secrets import TestTenant as KeptTenant
from gateway.stack.stack import Stack, StackPlan, running_stack
from gateway.stack.test_tenant import ready_test_tenant
from tests.harness.waiting import until

pytestmark = pytest.mark.scenario

README = Path(__file__).parents[2] / "README.md"
TOLLGATE = (sys.executable, "-m", "gateway")
BARE = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}


def blocks(language: str) -> list[str]:
    """Return the README's code blocks of one language."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def left_in(folder: Path) -> list[str]:
    """Return what a program has left behind."""
    return [path.name for path in folder.iterdir()]


async def run(*command: str, within_s: float, **environment: str) -> tuple[int, str]:
    """Run a program to its end and return its status and all it said."""
    process = await asyncio.create_subprocess_exec(
        *command, env=BARE | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(within_s):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    return process.returncode or 0, output.decode()


async def test_demo_ends_with_every_proof_held_and_leaves_nothing(tmp_path: Path) -> None:
    """The main job, from nothing, in one command."""
    status, output = await run(
        *TOLLGATE, "demo", "--messages", "60", "--seed", "7", within_s=240, TMPDIR=str(tmp_path)
    )
    assert status == 0, output
    assert "Proven" in output
    assert "✗" not in output
    for refusal in (
        "403 template_required",
        "403 template_not_allowed",
        "403 country_not_allowed",
        "403 opted_out",
        "402 insufficient_credits",
    ):
        assert f"refused: {refusal}" in output
    assert left_in(tmp_path) == []


async def test_demo_told_to_stop_stops_and_leaves_no_process(tmp_path: Path) -> None:
    """Whoever loses patience with it must not have to clean up."""
    process = await asyncio.create_subprocess_exec(
        *TOLLGATE,
        "demo",
        env=BARE | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    async with asyncio.timeout(240):
        while b"Onboarding" not in await process.stdout.readline():
            pass
        process.send_signal(signal.SIGTERM)
        last_words, _ = await process.communicate()
    assert process.returncode == 1
    assert b"Aborted!" in last_words
    assert b"Traceback" not in last_words
    _, left = await run("pgrep", "-f", str(tmp_path), within_s=90)
    assert left == ""


@pytest.fixture(scope="module")
async def dev(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """What `tollgate dev` runs, on ports of its own."""
    plan = StackPlan(
        data=tmp_path_factory.mktemp("dev"), environment=BARE, port=0, emulator_port=0, log_level="warning"
    )
    async with running_stack(plan, print) as stack:
        yield stack


@pytest.fixture(scope="module")
async def tenant(dev: Stack) -> KeptTenant:
    """The tenant that `tollgate dev` prints."""
    folder = dev.logs.parent
    url, key = dev.settings.public_url, dev.settings.operator_key
    made = await asyncio.to_thread(ready_test_tenant, folder, url, key)
    assert await asyncio.to_thread(ready_test_tenant, folder, url, key) == made
    return made


def at(dev: Stack, code: str) -> str:
    """Return an example of the README with this stack's addresses."""
    assert dev.emulator_url is not None
    return code.replace("http://127.0.0.1:8080", dev.settings.public_url).replace(
        "http://127.0.0.1:4579", dev.emulator_url
    )


async def test_the_send_in_curl_and_in_python_works_as_written(dev: Stack, tenant: KeptTenant) -> None:
    """What a reader copies first must be accepted as it stands."""
    curl = next(block for block in blocks("sh") if "curl" in block).replace("tg_test_…", tenant.key)
    status, output = await run("bash", "-ec", at(dev, curl), within_s=90)
    assert status == 0, output
    python = next(block for block in blocks("python") if "httpx" in block)
    status, printed = await run(
        sys.executable, "-c", at(dev, python), within_s=90, TOLLGATE_API_KEY=tenant.key
    )
    assert status == 0, printed
    message_id, state = printed.split()
    assert state in {"queued", "dispatching", "sent", "delivered"}
    assert '"status":"queued"' in output
    client = Client(dev.settings.public_url, tenant.key)
    listed = await asyncio.to_thread(client.get, "/v1/messages")
    assert len(listed["data"]) == 2
    assert listed["data"][0]["id"] == message_id


async def test_the_aws_example_sends_through_the_emulator(dev: Stack) -> None:
    """Any AWS SDK may look at the emulator directly."""
    example = next(block for block in blocks("python") if "boto3" in block)
    status, printed = await run(sys.executable, "-c", at(dev, example), within_s=60)
    assert status == 0, printed
    assert re.fullmatch(r"[0-9a-f-]{36}\s*", printed)


def as_environment(dev: Stack) -> dict[str, str]:
    """Return what an operator's shell beside the stack has set."""
    return to_environment(dev.settings) | {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}


async def test_doctor_finds_nothing_wrong_with_what_dev_started(dev: Stack) -> None:
    """The embedded servers are held to what production's are."""
    status, output = await run(*TOLLGATE, "doctor", within_s=60, **as_environment(dev))
    assert status == 0, output
    assert "✗" not in output
    assert dev.settings.secret_key not in output
    assert dev.settings.operator_key not in output


async def test_doctor_says_what_to_do_about_each_fault(dev: Stack) -> None:
    """Three wrong addresses, three faults, three ways out, and no traceback."""
    wrong = as_environment(dev) | {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }
    status, output = await run(*TOLLGATE, "doctor", within_s=90, **wrong)
    assert status == 1
    assert output.count("✗") == 3
    assert output.count("→") == 3
    assert "Traceback" not in output


async def test_reconcile_and_rebuild_run_beside_the_stack(dev: Stack, tenant: KeptTenant) -> None:
    """An operator needs no maintenance window for either."""
    assert tenant.id.startswith("ten_")
    status, output = await run(*TOLLGATE, "rebuild-redis", within_s=60, **as_environment(dev))
    assert status == 0, output
    assert "Route sandbox: " in output
    status, output = await run(*TOLLGATE, "reconcile", within_s=60, **as_environment(dev))
    assert status == 0, output
    assert "no difference" in output


async def test_api_processes_share_a_port_and_answer_what_waits_before_they_stop(
    dev: Stack, tenant: KeptTenant
) -> None:
    """A deployment sends SIGTERM in the middle of traffic; whoever is answered at all is answered 202."""
    port = settled_port(0, "--port")
    process = await asyncio.create_subprocess_exec(
        *TOLLGATE,
        *("serve", "api", "--workers", "2", "--port", str(port)),
        env=BARE | as_environment(dev) | {"TOLLGATE_LOG_LEVEL": "error"},
    )
    headers = {"Authorization": f"Bearer {tenant.key}"}
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:

        async def ready() -> bool:
            try:
                return (await client.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await until(ready, within_s=60)
        sends = [
            asyncio.ensure_future(client.post("/v1/messages", json={"to": "+14155550123", "body": f"{n}"}))
            for n in range(40)
        ]
        await asyncio.wait(sends, return_when=asyncio.FIRST_COMPLETED)
        process.terminate()
        answers = await asyncio.gather(*sends, return_exceptions=True)
    assert {each.status_code for each in answers if isinstance(each, httpx.Response)} == {202}
    assert all(isinstance(each, httpx.Response | httpx.TransportError) for each in answers)
    async with asyncio.timeout(60):
        assert await process.wait() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_an_api_that_is_told_to_stop_finishes_a_request_and_refuses_new_connections(
    dev: Stack, tenant: KeptTenant, workers: str
) -> None:
    """Who comes too late is refused at once and asks another process; who is being served gets his 202."""
    port = settled_port(0, "--port")
    process = await asyncio.create_subprocess_exec(
        *TOLLGATE,
        *("serve", "api", "--workers", workers, "--port", str(port)),
        env=BARE | as_environment(dev) | {"TOLLGATE_LOG_LEVEL": "error"},
    )

    async def connects() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    async def answers() -> bool:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            try:
                return (await client.get("/healthz")).is_success
            except httpx.TransportError:
                return False

    async def refuses() -> bool:
        return not await connects()

    await until(answers)
    body = b'{"to": "+14155550123", "body": "Its head came before the deployment."}'
    head = (
        "POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {tenant.key}\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode())
    assert (await reader.readuntil(b"\r\n\r\n")).split()[1] == b"100"  # it is being read
    process.terminate()
    await until(refuses, within_s=10)
    assert process.returncode is None
    writer.write(body)
    assert (await reader.readline()).split()[1] == b"202"
    writer.close()
    async with asyncio.timeout(60):
        assert await process.wait() == 0


async def test_a_child_ends_when_its_supervisor_is_gone() -> None:
    """The kernel closes the leash, whatever killed the supervisor."""
    process = await asyncio.create_subprocess_exec(
        *TOLLGATE, "--leash", "emulator", "--port", "0", env=BARE, stdin=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.close()
    async with asyncio.timeout(60):
        await process.wait()


def test_the_settings_of_a_stack_survive_the_environment(dev: Stack) -> None:
    """Children read what the supervisor wrote."""
    assert read_settings(to_environment(dev.settings)) == dev.settings
