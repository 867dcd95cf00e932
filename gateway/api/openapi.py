"""`/openapi.json`: the API in a machine's words, made from the routes themselves."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, cast

import msgspec
from litestar import Litestar, MediaType, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme, Server
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition

from gateway.api.body_types import body_structs
from gateway.api.files import FILES
from gateway.api.idempotency import MAX_KEY_LENGTH

TENANT_KEY: Final = "tenantKey"
OPERATOR_KEY: Final = "operatorKey"
_SIGNED: Final = "/v1/ingest/"
_MISMATCH: Final = "`idempotency_mismatch`"
_REF: Final = "#/components/schemas/"
_FILE: Final[dict[str, str]] = {"type": "string", "format": "binary"}
_IDEMPOTENCY_KEY: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same request with the same key gets the first answer again; kept for 24 h at least.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
}


def openapi_config(public_url: str) -> OpenAPIConfig:
    """Return what Litestar adds to the routes' own documentation."""
    return OpenAPIConfig(
        title="Tollgate",
        version=_version(),
        description="Multi-tenant SMS gateway in front of AWS End User Messaging.",
        servers=[Server(url=public_url)],
        operation_id_creator=_operation_id,
        components=Components(
            security_schemes={
                TENANT_KEY: SecurityScheme(
                    type="http", scheme="bearer", description="`tg_live_…` or `tg_test_…`"
                ),
                OPERATOR_KEY: SecurityScheme(type="http", scheme="bearer", description="The operator's key"),
            }
        ),
        create_examples=False,
        use_handler_docstrings=True,
    )


def openapi_route(describe: Callable[[], Litestar], handlers: Sequence[HTTPRouteHandler]) -> HTTPRouteHandler:
    """
    Return the route that serves the document.

    Args:
        describe: Builds an application whose only use is to be described. The one that serves has no OpenAPI
            configuration of its own, since Litestar would add pages to it that load scripts from elsewhere.
        handlers: The routes whose bodies refuse unknown fields, which Litestar does not write down.
    """

    @cache
    def document() -> bytes:
        schema = describe().openapi_schema.to_schema()
        _close_bodies(schema, handlers)
        _offer_idempotency(schema)
        _offer_files(schema, handlers)
        _word_patterns(schema)
        schema = _named_pages(schema)
        return msgspec.json.encode(schema, order="deterministic")

    @get("/openapi.json", include_in_schema=False, sync_to_thread=True)
    def get_openapi() -> Response[bytes]:
        return Response(document(), media_type=MediaType.JSON)

    return get_openapi


def _close_bodies(schema: dict[str, Any], handlers: Sequence[HTTPRouteHandler]) -> None:
    closed = {info.cls.__name__ for info in body_structs(handlers) if info.forbid_unknown_fields}
    for name, described in schema["components"]["schemas"].items():
        if name in closed:
            described["additionalProperties"] = False


def _offer_idempotency(schema: dict[str, Any]) -> None:
    """
    The header is read without being a parameter of each function, so it is written down here.

    A POST that takes it says so by the refusals it documents; what comes signed has an id of its own.
    """
    schema["components"]["parameters"] = {"IdempotencyKey": _IDEMPOTENCY_KEY}
    for path, item in schema["paths"].items():
        if not path.startswith(_SIGNED) and _MISMATCH in str(
            item.get("post", {}).get("responses", {}).get("422", "")
        ):
            item["post"].setdefault("parameters", []).append(
                {"$ref": "#/components/parameters/IdempotencyKey"}
            )


def _offer_files(schema: dict[str, Any], handlers: Sequence[HTTPRouteHandler]) -> None:
    """Write down the kinds of file that a route answers with, which Litestar has no word for."""
    kinds: dict[str, tuple[str, ...]] = {
        handler.fn.__name__: handler.opt[FILES] for handler in handlers if FILES in handler.opt
    }
    for operation in (each for item in schema["paths"].values() for each in item.values()):
        files = kinds.get(operation.get("operationId", ""))
        if files:
            answer = operation["responses"]["200"]
            shown = {kind: body for kind, body in answer["content"].items() if body.get("schema")}
            answer["content"] = shown | {kind: {"schema": _FILE} for kind in files}
            if not shown:
                answer["description"] = "The file, sent while it is made."


def _word_patterns(described: object) -> None:
    r"""
    End patterns as JSON Schema does: its `$` is the end of the text.

    Python's lets a line break follow, so patterns here end with `\Z`, which other languages do not know.
    """
    if isinstance(described, list):
        for each in cast("list[object]", described):
            _word_patterns(each)
    if isinstance(described, dict):
        members = cast("dict[str, object]", described)
        for name, each in members.items():
            if name == "pattern" and isinstance(each, str):
                members[name] = each.replace(r"\Z", "$")
            _word_patterns(each)


def _named_pages(schema: dict[str, Any]) -> dict[str, Any]:
    """
    Name pages after what is in them, in their title, too: clients are made from both.

    Litestar calls them by the module, which clients have no part in, and titles them with brackets.
    """
    described = schema["components"]["schemas"]
    names = {name: _page_name(each) for name, each in described.items() if name.startswith("Page_")}
    for name, called in names.items():
        described[name]["title"] = called
    schema["components"]["schemas"] = {names.get(name, name): each for name, each in described.items()}
    return cast("dict[str, Any]", _referring(schema, {_REF + old: _REF + new for old, new in names.items()}))


def _page_name(page: dict[str, Any]) -> str:
    item: str = page["properties"]["data"]["items"]["$ref"]
    return item.removeprefix(_REF) + "Page"


def _referring(described: object, names: Mapping[str, str]) -> object:
    """Return a part of the document with its references under their new names."""
    if isinstance(described, list):
        return [_referring(each, names) for each in cast("list[object]", described)]
    if isinstance(described, dict):
        members = cast("dict[str, object]", described)
        return {name: _referring(each, names) for name, each in members.items()}
    return names.get(described, described) if isinstance(described, str) else described


def _operation_id(
    handler: HTTPRouteHandler, _method: Method, _path: list[str | PathParameterDefinition]
) -> str:
    return handler.fn.__name__


def _version() -> str:
    try:
        return version("tollgate")
    except PackageNotFoundError:
        return "0"
