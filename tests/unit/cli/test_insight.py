"""The commands of insight: what they ask, and that a file stands under its name only when it is whole."""

import socket
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.root import tollgate
from tests.unit.cli.test_calling import Api, api, run  # noqa: F401 - the stand-in is a fixture

ALARM = dict.fromkeys(
    (
        "id",
        "name",
        "metric",
        "country",
        "type",
        "against",
        "raise_at",
        "clear_at",
        "value",
        "usual",
        "raised",
    ),
    None,
) | {"enabled": True}


def test_an_export_is_written_under_its_name(api: Api, tmp_path: Path) -> None:  # noqa: F811 - a fixture
    """Byte for byte, with the conditions asked for."""
    api.answers = [(200, b"id,to\r\nmsg_1,+1\r\n")]
    target = tmp_path / "messages.csv"
    done = run(
        api,
        "insight",
        "export",
        "messages",
        "--to",
        str(target),
        "--from",
        "2026-11-01T00:00:00Z",
        "--country",
        "US",
    )
    assert done.exit_code == 0, done.output
    assert target.read_bytes() == b"id,to\r\nmsg_1,+1\r\n"
    path = api.asked[0][1]
    assert path.startswith("/v1/exports/messages?")
    assert "country=US" in path
    assert "format=csv" in path


@pytest.mark.parametrize("command", [("export", "messages", "--to"), ("evidence", "--csv")])
def test_a_transfer_that_breaks_off_leaves_no_file_of_that_name(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    """Half of the messages under the right name would be taken for all of them."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def break_off() -> None:
            connection, _ = server.accept()
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nid,t\r\n")
            connection.close()

        threading.Thread(target=break_off, daemon=True).start()
        target = tmp_path / "messages.csv"
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        done = CliRunner().invoke(
            tollgate,
            ["insight", *command, str(target), "--api-url", url, "--key", "k"],
        )
    assert done.exit_code != 0
    assert not target.exists()


@pytest.mark.parametrize("more", [("--tenant", "ten_1"), ("--all-tenants",), ("--country", "US")])
def test_events_are_exported_by_their_tenant_alone(
    api: Api,  # noqa: F811 - a fixture
    more: tuple[str, ...],
    tmp_path: Path,
) -> None:
    """The operator has no such route: it is said before anything is asked."""
    target = tmp_path / "events.csv"
    done = run(api, "insight", "export", "events", "--to", str(target), *more)
    assert done.exit_code == 2
    assert "with their tenant's own key" in done.output
    assert api.asked == []
    assert not target.exists()


def test_an_alarm_is_set_with_what_was_given(api: Api) -> None:  # noqa: F811 - a fixture
    """What was not said is left to the API's defaults."""
    api.answers = [(201, ALARM | {"id": "alm_1", "name": "otp"})]
    done = run(api, "alarms", "set", "otp", "--metric", "conversion", "--raise-at", "0.8", "--type", "otp")
    assert done.exit_code == 0, done.output
    assert api.asked[0][1:] == (
        "/v1/alarms",
        {
            "name": "otp", "metric": "conversion", "raise_at": 0.8, "type": "otp", "against": "static",
            "window_seconds": 3600, "minimum_messages": 50,
        },
    )  # fmt: skip


def test_the_operator_makes_a_case_for_a_tenant(api: Api) -> None:  # noqa: F811 - a fixture
    """Over the operator's own road."""
    case = {"messages": 3, "in_trouble": 0, "delivery_rate": 1, "usual_delivery_rate": None, "began_at": None}
    api.answers = [(200, case | {"examples": []})]
    done = run(api, "insight", "evidence", "--tenant", "ten_1", "--country", "US")
    assert done.exit_code == 0, done.output
    assert api.asked[0][1].startswith("/v1/admin/tenants/ten_1/evidence?")
    assert "No message is in trouble." in done.output
