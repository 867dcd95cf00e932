"""How the document shows a POST whose body is read by hand, after whatever proves its sender."""

from collections.abc import Mapping

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, Parameter, RequestBody, Schema


def describe(operation: Operation, body: Schema, headers: Mapping[str, str]) -> None:
    """Add the JSON body and the required headers, each with what is said of it."""
    text = Schema(type=OpenAPIType.STRING)
    operation.request_body = RequestBody(
        content={"application/json": OpenAPIMediaType(schema=body)}, required=True
    )
    operation.parameters = [
        *(operation.parameters or []),
        *(
            Parameter(name=name, param_in="header", required=True, schema=text, description=said)
            for name, said in headers.items()
        ),
    ]
