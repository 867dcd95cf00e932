"""`tollgate tenants onboard`: a file that is run again with less in it, and one that is interrupted."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.harness.told_api import LOOKS_EVERY_S
from tests.unit.cli.test_calling import Api, api, run

__all__ = ["api"]

CHOSEN = [{"country": "GB", "type": "SENDER_ID", "value": "ACME"}]
ANSWERS = {
    "senders": {"choices": CHOSEN},
    "use_cases": {"programmes": [{"type": "otp", "samples": ["Acme: your code is 123456."]}]},
    "reach": {"countries": ["GB"]},
}
KNOWN = {"data": [{"slug": "acme", "id": "ten_1"}], "next_cursor": None}
AT_ONCE = 4
TENANTS = 400


def seen(step: str | None) -> dict[str, Any]:
    """An approved onboarding whose next step is this one."""
    return {
        "next": step,
        "version": 3,
        "approved_at": "2026-11-01T00:00:00Z",
        "live_at": None,
        "answers": ANSWERS,
        "steps": [] if step is None else [{"name": step, "state": "open", "detail": ""}],
    }


@pytest.fixture
def bare(tmp_path: Path) -> str:
    """A file that names a tenant and repeats none of its answers."""
    path = tmp_path / "tenants.csv"
    path.write_text("slug,name,model\nacme,Acme,3\n")
    return str(path)


def test_a_tenant_gets_the_senders_that_were_approved_whatever_the_file_repeats(api: Api, bare: str) -> None:
    """Others would be leased at AWS, and the tenant would pay for them."""
    api.answers = [(200, KNOWN), (200, seen("provisioning")), (200, {}), (200, seen("registrations"))]
    done = run(api, "tenants", "onboard", bare, "--json")
    assert done.exit_code == 0, done.output
    (body,) = [body for method, path, body in api.asked if path.endswith("/provision")]
    assert body == {"senders": CHOSEN}
    assert [row["state"] for row in json.loads(done.stdout)] == ["registrations"]


def test_a_tenant_is_tried_out_by_its_approved_sample(api: Api, bare: str) -> None:
    """A column that the file does not have ended the whole run, with every other tenant's result."""
    api.answers = [
        (200, KNOWN),
        (200, seen("sandbox_test")),
        (201, {"id": "key_1", "secret": "tg_test_x"}),
        (202, {"id": "msg_1"}),
        (200, {"status": "delivered"}),
        (204, b""),
        (200, seen("live")),
        (200, seen(None)),
    ]
    done = run(api, "tenants", "onboard", bare, "--json")
    assert done.exit_code == 0, done.output
    (text,) = [body for method, path, body in api.asked if (method, path) == ("POST", "/v1/messages")]
    assert (text["type"], text["body"]) == ("otp", "Acme: your code is 123456.")
    assert [row["state"] for row in json.loads(done.stdout)] == ["live"]


class Held:
    """An API that lets no tenant be made before it is told to, and counts who asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.all_at_once = threading.Event()
        self.go_on = threading.Event()
        self.url = ""


AS_AT_A_TERMINAL = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("gateway", run_name="__main__", alter_sys=True)
"""
"""What runs in the background, as a suite may, has Ctrl-C ignored, and its children inherit that."""


@pytest.fixture
def held() -> Iterator[Held]:
    """One on loopback."""
    held, lock = Held(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.command == "POST":
                with lock:
                    held.asked += 1
                    if held.asked == AT_ONCE:
                        held.all_at_once.set()
                held.go_on.wait(30)
            self.send_response(200 if self.command == "GET" else 409)
            self.end_headers()
            self.wfile.write(json.dumps({"data": [], "next_cursor": None}).encode())

        do_GET = do_POST = answer  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(LOOKS_EVERY_S,), daemon=True).start()
        held.url = f"http://127.0.0.1:{server.server_port}"
        yield held
        held.go_on.set()
        server.shutdown()


def test_an_interrupted_run_begins_no_other_tenant(held: Held, tmp_path: Path) -> None:
    """Ctrl-C stopped the table alone: hundreds more were made, and senders leased for them."""
    path = tmp_path / "tenants.csv"
    path.write_text("slug,name,model\n" + "".join(f"acme-{number},Acme,3\n" for number in range(TENANTS)))
    command = [sys.executable, "-c", AS_AT_A_TERMINAL, "tenants", "onboard", str(path)]
    environment = os.environ | {"TOLLGATE_API_URL": held.url, "TOLLGATE_API_KEY": "secret"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        assert held.all_at_once.wait(60)
        process.send_signal(signal.SIGINT)
        held.go_on.set()
        assert process.wait(60) != 0
    assert held.asked < TENANTS // 2, "those that were begun, and what began before the signal was heard"
