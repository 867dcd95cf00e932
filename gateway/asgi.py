"""The web process: every route over the services that `gateway.wiring` built."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, Final

from cryptography.fernet import Fernet
from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.types import ControllerRouterHandler

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.faults import Handler, exception_handlers
from gateway.api.hot.posts import HotPosts
from gateway.api.hot.send_rates import SendRates
from gateway.api.hot.sends import HotSends
from gateway.api.inside import ask_inside
from gateway.api.openapi import openapi_config, openapi_route
from gateway.api.requests import RequestLayer
from gateway.api.routes import OPERATOR_ROUTES, TENANT_ROUTES, all_routes
from gateway.api.services import Services
from gateway.console.faults import page_of_answer
from gateway.console.identity import IdentityProvider, IdentityTerms
from gateway.console.identity_pages import CALLBACK
from gateway.console.ports import Answer
from gateway.console.routes import console_routes
from gateway.console.site import Site
from gateway.errors import ConfigurationError
from gateway.hosted.routes import hosted_routes, no_page
from tenants.accounts.sealing import derive
from tenants.people.hashing import pepper_from
from tenants.scope import TenantScope

_NOWHERE: Final = (404, 405)
_NOTES: Final = b"tollgate/v1/console-notes"
MAX_BODY_BYTES = 64 * 1024
"""Of any request; a batch and an SNS post have limits of their own."""


def create_app(services: Services, *, short_ways: bool = True) -> Litestar:
    """
    Return the application; it owns nothing that needs closing, the services do.

    Args:
        short_ways: Whether plain sends and SNS's posts pass the framework by; the answers are the same.
    """
    desk = Desk(services)
    door = _Door(services.settings.operator_key)
    described = openapi_route(
        lambda: _application(desk, all_routes(desk), openapi_config(desk.public_url)),
        (*TENANT_ROUTES, *OPERATOR_ROUTES),
    )
    judge = exception_handlers(desk.public_url)[Exception]
    pages = [hosted_routes(judge), console_routes(_site(services, door), judge)]
    app = door.app = _application(desk, [*all_routes(desk), described, *pages], None, by_people=True)
    if short_ways:
        app.asgi_handler = HotPosts(app.asgi_handler, ingest=services.ingest, public_url=desk.public_url)
    rates = app.asgi_handler = SendRates(app.asgi_handler, sending=services.sending)
    if short_ways:
        app.asgi_handler = HotSends(
            rates,
            keyring=desk.keyring,
            sending=services.sending,
            public_url=desk.public_url,
            most_bytes=MAX_BODY_BYTES,
        )
    # Around everything, so that answers which no route gave have their id and their line, too.
    app.asgi_handler = RequestLayer(app.asgi_handler)
    return app


class _Door:
    """The console's way to the API of the same process."""

    def __init__(self, operator_key: str) -> None:
        self._operator_key = operator_key
        self.app: Litestar | None = None

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        scope: TenantScope | None,
        once: str | None = None,
    ) -> Answer:
        """Ask, as `gateway.console.ports.Ask` says."""
        if self.app is None:
            raise ConfigurationError("the console was asked before the application was made")
        said = await ask_inside(
            self.app, method, path, body, scope=scope, operator_key=self._operator_key, once=once
        )
        return Answer(status=said.status, body=said.body)


def _site(services: Services, door: _Door) -> Site:
    settings = services.settings
    return Site(
        ask=door,
        engine=services.operator_engine,
        data_keys=services.data_keys,
        clock=services.clock,
        pepper=pepper_from(settings.secret_key),
        operator_key=settings.operator_key,
        https=settings.public_url.startswith("https://"),
        notes=Fernet(urlsafe_b64encode(derive(settings.secret_key.encode(), _NOTES))),
        identity=_identity(services),
        trusted_proxies=settings.trusted_proxies,
    )


def _identity(services: Services) -> IdentityProvider | None:
    settings = services.settings
    if settings.oidc_issuer is None:
        return None
    return IdentityProvider(
        IdentityTerms(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id or "",
            client_secret=settings.oidc_client_secret or "",
            name=settings.oidc_name,
            redirect_uri=f"{settings.public_url}{CALLBACK}",
        )
    )


def _application(
    desk: Desk,
    routes: Sequence[ControllerRouterHandler],
    documentation: OpenAPIConfig | None,
    *,
    by_people: bool = False,
) -> Litestar:
    async def provide_desk() -> Desk:
        return desk

    handlers = exception_handlers(desk.public_url)
    if by_people:
        handlers |= dict.fromkeys(_NOWHERE, _nowhere(handlers[Exception]))
    return Litestar(
        route_handlers=routes,
        dependencies={"desk": Provide(provide_desk, use_cache=True)},
        exception_handlers=handlers,
        openapi_config=documentation,
        request_class=ApiRequest,
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
        debug=False,
    )


def _nowhere(judge: Handler) -> Handler:
    """Return what answers where no route does: by a page where people look for one."""

    def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        said = judge(request, error)
        if request.url.path.startswith("/console/"):
            return page_of_answer(request, said)
        return no_page() if request.url.path.startswith("/p/") else said

    return answer
