"""The hand-over from a shell: asked for by POST, and under its name only when it is whole."""

import socket
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.root import tollgate
from tests.unit.cli.test_calling import Api, api, run  # noqa: F401 - the stand-in is a fixture


def test_a_hand_over_is_written_byte_for_byte(api: Api, tmp_path: Path) -> None:  # noqa: F811 - a fixture
    """And said to hold numbers in the clear."""
    api.answers = [(200, b"PK\x03\x04\x00\xff")]
    target = tmp_path / "acme.zip"
    done = run(api, "tenants", "export", "ten_1", "--to", str(target))
    assert done.exit_code == 0, done.output
    assert target.read_bytes() == b"PK\x03\x04\x00\xff"
    assert api.asked == [("POST", "/v1/admin/tenants/ten_1/export", None)]
    assert "in the clear" in done.stderr
    assert target.stat().st_mode & 0o077 == 0, "others on the machine do not read along"


@pytest.mark.parametrize(
    "begun",
    [b"Transfer-Encoding: chunked\r\n\r\n4\r\nPK\x03\x04\r\n", b"Content-Length: 9\r\n\r\nPK\x03\x04"],
)
def test_a_hand_over_that_breaks_off_leaves_no_file_of_that_name(begun: bytes, tmp_path: Path) -> None:
    """Half of a tenant under the right name would be taken for all of it; a proxy may announce the length."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def break_off() -> None:
            connection, _ = server.accept()
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\n" + begun)
            connection.close()

        threading.Thread(target=break_off, daemon=True).start()
        target = tmp_path / "acme.zip"
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        arguments = ["tenants", "export", "ten_1", "--to", str(target), "--api-url", url, "--key", "k"]
        done = CliRunner().invoke(tollgate, arguments)
    assert done.exit_code != 0
    assert list(tmp_path.iterdir()) == [], "nor half of the numbers under another"
