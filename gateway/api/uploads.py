"""A body that is a file: how it is read, and what OpenAPI says of it."""

from dataclasses import dataclass
from typing import Any, Final, cast

from litestar.datastructures import UploadFile
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from gateway.api.bodies import ApiRequest
from gateway.api.form_reading import form_of
from gateway.api.refusals import Refusal

_FORM: Final = "multipart/form-data"
_FIELD: Final = "file"


async def uploaded(request: ApiRequest) -> bytes:
    """
    Return the bytes of the body, or of the field `file` of a form.

    Raises:
        Refusal: The form has not exactly one such field.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    content = (
        await request.body()
    )  # kept by the request: a form alone would leave nothing for the fingerprint
    if kind != _FORM:
        return content
    form = await form_of(request)
    files: list[Any] = [part for part in form.getall(_FIELD, []) if isinstance(part, UploadFile)]
    if len(files) != 1:
        raise Refusal.of_field(f"/{_FIELD}", "exactly_one", "Send one file in the form's field `file`.")
    return cast("bytes", await files[0].read())


@dataclass
class UploadOperation(Operation):
    """A POST whose body is the bytes of a file, or a form with the field `file`."""

    def __post_init__(self) -> None:
        """Describe the body, which the handler reads by itself."""
        file = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        form = Schema(type=OpenAPIType.OBJECT, properties={"file": file}, required=["file"])
        self.request_body = RequestBody(
            content={
                "application/octet-stream": OpenAPIMediaType(schema=file),
                "multipart/form-data": OpenAPIMediaType(schema=form),
            },
            required=True,
        )
