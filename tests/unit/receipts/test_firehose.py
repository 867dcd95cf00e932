"""Firehose's protocol for HTTP endpoints: proven first, unpacked with bounds, answered in its own form."""

import base64
import gzip
import json
import tracemalloc

import pytest

from gateway.clock import SystemClock
from gateway.errors import Unavailable
from gateway.receipts import firehose
from gateway.receipts.access_keys import mint, read_token
from gateway.receipts.apply import Stray
from gateway.receipts.event import Receipt
from gateway.receipts.firehose import FirehoseReceiver, Posted, pieces
from gateway.receipts.mailroom import Refused
from gateway.receipts.reading import incoming_of
from tenants.access.tokens import pepper_from, secret_hash
from tenants.ids import new_uuid
from tests.harness.receipts import event

ID = "ed4acda5-034f-9f42-bba1-f29aea6d7d8f"
PEPPER = pepper_from("secret key of the tests")
DELIVERED = json.dumps(event("DELIVERED")).encode()


class Keys:
    """Knows one key."""

    async def admits(self, token):
        """Compare."""
        if token == "unreadable":
            raise OSError("postgres is away")
        return token == "right"

    def owner_of(self, _):
        """The operator's."""


class Mail:
    """Believes everything that does not say otherwise."""

    async def open(self, body, *, owner=None):
        """Return what is inside."""
        return Refused("signature_mismatch") if b"forged" in body else incoming_of(body, owner=owner)


class Commit:
    """Remembers batches; the one of number `failing` fails."""

    def __init__(self, failing=None):
        self.batches = []
        self.failing = failing

    async def submit_together(self, items):
        """Commit, or not."""
        self.batches.append(list(items))
        if len(self.batches) == self.failing:
            return [Unavailable("the database did not take it")] * len(items)
        return ["applied"] * len(items)


def body_of(*records, request_id=ID):
    """A delivery."""
    data = [{"data": base64.b64encode(each).decode()} for each in records]
    return json.dumps({"requestId": request_id, "timestamp": 1578090901599, "records": data}).encode()


async def deliver(body, *, key="right", encoding="", request_id=ID, commit=None):
    """Post one delivery; the status, the answer's members and the commit."""
    commit = commit or Commit()
    read = []

    async def reading():
        read.append(True)
        return body

    receiver = FirehoseReceiver(Keys(), Mail(), commit, SystemClock())
    taken = await receiver.receive(
        Posted(read=reading, request_id=request_id, access_key=key, encoding=encoding)
    )
    return taken, commit, bool(read)


async def test_a_delivery_is_stored_and_answered_with_its_own_id():
    """Firehose takes an answer that does not echo the id for a failure."""
    taken, commit, _ = await deliver(body_of(DELIVERED, DELIVERED))
    assert (taken.status, taken.answer.request_id, taken.answer.error_message) == (200, ID, None)
    assert taken.answer.timestamp > 1_700_000_000_000
    assert [type(each) for each in commit.batches[0]] == [Receipt, Receipt]


async def test_gzip_is_unpacked():
    """As the stream's content encoding may be set."""
    taken, commit, _ = await deliver(gzip.compress(body_of(DELIVERED)), encoding="gzip")
    assert (taken.status, len(commit.batches[0])) == (200, 1)


async def test_a_wrong_key_is_refused_before_the_body_is_read():
    """The route is open to the world."""
    taken, commit, was_read = await deliver(body_of(DELIVERED), key="wrong")
    assert (taken.status, commit.batches, was_read) == (401, [], False)
    assert taken.answer.request_id == ID


async def test_keys_that_cannot_be_read_are_no_refusal():
    """Firehose delivers again; nobody is told that a good key is bad."""
    assert (await deliver(body_of(DELIVERED), key="unreadable"))[0].status == 503


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        (b"", {}),
        (b"{}", {}),
        (b"[]", {}),
        (b'{"requestId": "%s", "timestamp": 1, "records": [{"data": "***"}]}' % ID.encode(), {}),
        (body_of(DELIVERED), {"encoding": "br"}),
        (body_of(DELIVERED), {"encoding": "gzip"}),
        (gzip.compress(body_of(DELIVERED))[:-9], {"encoding": "gzip"}),
        (body_of(DELIVERED, request_id="another"), {}),
        (body_of(DELIVERED), {"request_id": ""}),
        (body_of(DELIVERED), {"request_id": "a\nb"}),
    ],
)
async def test_what_is_no_delivery_is_refused(body, changes):
    """400, and no id of another form in the answer."""
    taken, commit, _ = await deliver(body, **changes)
    assert (taken.status, commit.batches) == (400, [])
    assert "\n" not in taken.answer.request_id


async def test_a_gzip_bomb_is_refused_without_being_unpacked():
    """A few kilobytes may become gigabytes."""
    bomb = gzip.compress(bytes(256 * 1024 * 1024), compresslevel=9)
    tracemalloc.start()
    taken, _, _ = await deliver(bomb, encoding="gzip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken.status == 413
    assert peak < 3 * firehose.MAX_UNPACKED_BYTES


@pytest.mark.parametrize(
    "body", [None, body_of(*[b"{}"] * (firehose.MAX_RECORDS + 1))], ids=["bytes", "records"]
)
async def test_too_much_at_once_is_refused_with_a_way_out(body):
    """The stream's buffer size is the operator's to lower."""
    taken, _, _ = await deliver(body)
    assert taken.status == 413
    assert "buffer size" in taken.answer.error_message


async def test_a_batch_that_fails_fails_the_delivery():
    """Firehose sends the whole of it again; what was stored by then changes nothing."""
    records = [DELIVERED] * 1200
    taken, commit, _ = await deliver(body_of(*records), commit=Commit(failing=2))
    assert taken.status == 503
    assert [len(batch) for batch in commit.batches] == [500, 500]


async def test_events_of_one_message_are_committed_together(monkeypatch):
    """They travel beside those of others; each commit that one message is spread over writes it once more."""
    monkeypatch.setattr(firehose, "_TOGETHER", 4)
    ids = [new_uuid() for _ in range(6)]
    names = ("QUEUED", "SUCCESSFUL")
    records = [json.dumps(event(name, message_id=each)).encode() for name in names for each in ids]
    _, commit, _ = await deliver(body_of(*records))
    batches = [[each.message_id for each in batch] for batch in commit.batches]
    assert batches == [[each for each in pair for _ in names] for pair in (ids[:2], ids[2:4], ids[4:])]


async def test_what_is_unreadable_or_not_believed_holds_nothing_up():
    """One odd record must not send a thousand good ones round again for ever."""
    _, commit, _ = await deliver(body_of(b"not json", b"forged", DELIVERED))
    strays = [each.reason for each in commit.batches[0] if isinstance(each, Stray)]
    assert (strays, len(commit.batches[0])) == (["unreadable", "unbelieved"], 3)


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b"{}", 1),
        (b"{}\n", 1),
        (b"{}\n{}\n", 2),
        (b"{}{}{}", 3),
        (b'{"a": "}{"}', 1),
        (b'{"a": "}{"}{"b": "x\\ny"}', 2),
        (b'{"a":\n 1}', 1),
        (b"{}\n{broken\n{}", 2),
        (b"", 1),
        (b"\xff\n\xff", 1),
    ],
)
def test_a_record_is_split_into_its_objects(data, count):
    """A transformation or an aggregating producer may put several into one."""
    assert len(list(pieces(data))) == count


def test_a_key_is_read_back_and_nothing_else_is():
    """The id finds the row; the secret is compared."""
    key = mint(PEPPER)
    claimed = read_token(key.token)
    assert claimed is not None
    assert (claimed[0], secret_hash(PEPPER, claimed[1])) == (key.id, key.secret_hash)
    assert key.token not in repr(key)
    assert len(key.token) < 4096
    for other in ("", "tgfh_", "tg_live_x", key.token[:20], "tgfh_" + "é" * 60, "x" * 5000):
        assert read_token(other) is None
