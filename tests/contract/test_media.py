"""`/v1/media` over a real Postgres: bodies, forms, limits, modes; and that the how-to shows what is taken."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from gateway.intake.request import SendRequest
from tests.unit.media.files import OTHERS, picture

HOW_TO = Path("docs/how-to/send-media-and-voice.md").read_text(encoding="utf-8")


async def test_a_file_is_taken_as_the_body_or_as_a_form(customer) -> None:
    """The two ways that clients know; the type is found, not believed."""
    raw = await customer.api.post("/v1/media", content=picture("PNG"), headers={"Content-Type": "text/html"})
    assert (raw.status_code, raw.json()["content_type"]) == (201, "image/png"), raw.text
    form = await customer.api.post("/v1/media", files={"file": ("x.exe", OTHERS["application/pdf"])})
    assert (form.status_code, form.json()["content_type"]) == (201, "application/pdf"), form.text
    read = await customer.api.get(f"/v1/media/{form.json()['id']}")
    assert read.json() == form.json()


async def test_a_form_without_its_file_says_which_field(customer) -> None:
    """Not a file of no bytes."""
    answer = await customer.api.post("/v1/media", files={"picture": ("x.png", picture("PNG"))})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/file")


async def test_a_form_in_no_charset_is_refused(customer) -> None:
    """A broken client, and no fault of ours."""
    part = b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\n\xff\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await customer.api.post("/v1/media", content=part, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


async def test_a_body_over_the_cap_is_cut_off(customer) -> None:
    """Read no further than the largest file that could be taken."""
    answer = await customer.api.post("/v1/media", content=b"\0" * 2_100_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("content", [b"", b"MZ" + b"\0" * 100, picture("PNG")[:40]])
async def test_what_is_no_file_for_an_mms_is_refused(customer, content: bytes) -> None:
    """Nothing, a program, half a picture."""
    answer = await customer.api.post("/v1/media", content=content)
    assert (answer.status_code, answer.json()["code"]) == (422, "media_refused"), answer.text


async def test_a_repeated_upload_answers_with_the_first_file(customer) -> None:
    """The key stands for the bytes; other bytes are another request."""
    headers = {"Idempotency-Key": "upload-1"}
    first = await customer.api.post("/v1/media", content=picture("PNG"), headers=headers)
    again = await customer.api.post("/v1/media", content=picture("PNG"), headers=headers)
    assert again.json() == first.json()
    other = await customer.api.post("/v1/media", content=picture("GIF"), headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


async def test_a_repeated_form_answers_with_the_first_file(customer) -> None:
    """Each try draws another boundary; the file decides."""
    headers = {"Idempotency-Key": "form-1"}
    first, again, other = [
        await customer.api.post("/v1/media", files={"file": ("x", content)}, headers=headers)
        for content in (picture("PNG"), picture("PNG"), picture("GIF"))
    ]
    assert (first.status_code, again.json()) == (201, first.json())
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


def test_every_send_of_the_how_to_is_well_formed() -> None:
    """What is shown can be sent."""
    shown = re.findall(r"```json\nPOST /v1/messages\n(.*?)```", HOW_TO, re.DOTALL)
    assert len(shown) == 2
    assert {msgspec.convert(json.loads(each), SendRequest).channel for each in shown} == {"mms", "voice"}
