"""The little of the S3 API that staging files for MMS needs: put, head, get and delete, by path."""

from gateway.emulator.pipeline import Answer
from gateway.emulator.wire import Request
from gateway.emulator.world import World

_XML = "application/xml"
_NO_SUCH_KEY = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuchKey</Code>'
    b"<Message>The specified key does not exist.</Message></Error>"
)


def s3_answer(world: World, request: Request) -> Answer:
    """Answer one S3 call."""
    bucket, _, key = request.path.lstrip("/").partition("/")
    match request.method:
        case "PUT":
            world.objects.put(bucket, key, request.body)
            return Answer(200, b"", _XML)
        case "DELETE":
            world.objects.drop(bucket, key)
            return Answer(204, b"", _XML)
        case "GET" | "HEAD":
            return _read(world.objects.find(bucket, key), head=request.method == "HEAD")
        case _:
            return Answer(405, b"", _XML)


def _read(found: bytes | None, *, head: bool) -> Answer:
    if found is None:
        return Answer(404, b"" if head else _NO_SUCH_KEY, _XML)
    return Answer(200, b"" if head else found, "binary/octet-stream")
