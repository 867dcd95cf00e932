"""A body where a route takes none: refused, so that a member that was meant to do something is not lost."""

from typing import Any, Final

import msgspec
from litestar import Request
from msgspec import Struct

from gateway.api.field_errors import refusal_of_body
from gateway.api.refusals import Refusal
from gateway.api.uploads import UploadOperation

_MAY_HAVE_ONE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class _Nothing(Struct, forbid_unknown_fields=True):
    """An object without members, which many clients send instead of no body."""


_DECODER: Final = msgspec.json.Decoder(_Nothing)


async def refuse_unwanted_body(request: Request[Any, Any, Any]) -> None:
    """
    Let through a request whose route reads the body, or that has none to speak of.

    Raises:
        Refusal: 422 naming the first member, or the body itself where it is no object.
    """
    route = request.route_handler
    if request.method not in _MAY_HAVE_ONE or route.parsed_data_field is not None:
        return
    if route.operation_class is UploadOperation or not (body := await request.body()):
        return
    try:
        _DECODER.decode(body)
    except msgspec.ValidationError as error:
        raise refusal_of_body(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal.of_field("/", "unexpected", "This route takes no body; leave it out.") from error
