"""`/openapi.json`: the API in a machine's words, made from the routes themselves."""

from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import msgspec
from litestar import Litestar, MediaType, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme, Server
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition

TENANT_KEY: Final = "tenantKey"
OPERATOR_KEY: Final = "operatorKey"


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


def openapi_route(describe: Callable[[], Litestar]) -> HTTPRouteHandler:
    """
    Return the route that serves the document.

    Args:
        describe: Builds an application whose only use is to be described. The one that serves has no OpenAPI
            configuration of its own, since Litestar would add pages to it that load scripts from elsewhere.
    """

    @cache
    def document() -> bytes:
        return msgspec.json.encode(describe().openapi_schema.to_schema(), order="deterministic")

    @get("/openapi.json", include_in_schema=False, sync_to_thread=True)
    def get_openapi() -> Response[bytes]:
        return Response(document(), media_type=MediaType.JSON)

    return get_openapi


def _operation_id(
    handler: HTTPRouteHandler, _method: Method, _path: list[str | PathParameterDefinition]
) -> str:
    return handler.fn.__name__


def _version() -> str:
    try:
        return version("tollgate")
    except PackageNotFoundError:
        return "0"
