"""Pages from templates: everything escaped, nothing loaded from elsewhere, nothing kept by browsers."""

from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Response
from litestar.datastructures import Cookie

from gateway.console.words import FILTERS

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_SEE_OTHER: Final = 303

_TEMPLATES: Final = Environment(
    loader=PackageLoader("gateway.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(FILTERS)


def page(
    template: str, values: dict[str, Any], *, status: int = 200, cookies: list[Cookie] | None = None
) -> Response[str]:
    """Return a rendered template."""
    return Response(
        _TEMPLATES.get_template(template).render(values),
        status_code=status,
        media_type=MediaType.HTML,
        headers=HEADERS,
        cookies=cookies or [],
    )


def go_to(path: str, *, cookies: list[Cookie] | None = None) -> Response[str]:
    """Return the answer to a form that did its work: a page to fetch, so that reloading sends nothing."""
    return Response(
        "",
        status_code=_SEE_OTHER,
        headers={**HEADERS, "Location": path},
        media_type=MediaType.HTML,
        cookies=cookies or [],
    )
