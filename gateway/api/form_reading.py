"""The fields of a form, whatever was posted as one."""

from typing import Any, Final

from litestar import Request
from litestar.datastructures import FormMultiDict

from gateway.api.refusals import Refusal
from gateway.form_body import fields_of, is_url_encoded

_NOT_TEXT: Final = "A part of the form is not text in its charset: send UTF-8."


async def form_of(request: Request[Any, Any, Any]) -> FormMultiDict:
    """
    Return the fields and files of a form; none where the body is no form.

    Raises:
        Refusal: A field is no text in the charset that it names, or there are too many.
    """
    try:
        if is_url_encoded(request.headers.get("content-type", "")):
            return FormMultiDict(fields_of(await request.body()))
        return await request.form()
    except (LookupError, ValueError) as error:  # no such charset, or other bytes
        raise Refusal("bad_request", _NOT_TEXT) from error
