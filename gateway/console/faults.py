"""Errors as pages."""

from typing import Any, Final

from litestar import Request, Response
from litestar.exceptions import HTTPException

from gateway.console import pages
from gateway.console.errors import ApiRefused, FormRefused, HandedBack, NoSuchPage, PageError, SignInNeeded

_SHOWN: Final[dict[int, tuple[str, str]]] = {
    403: (
        "This form cannot be taken",
        "It was not written for this browser, or it is too old. Go back, reload the page and send it again.",
    ),
    404: ("There is nothing here", "The address is not right, or the page belongs to somebody else."),
    405: ("There is nothing here", "This address takes forms only."),
    413: ("That is too much", "A form may hold 64 KB, a file 500 KB, and all files of a form 2 MB."),
    503: (
        "We cannot answer right now",
        "Go back in a moment: what you wrote still stands there. A form that is sent again acts once.",
    ),
}
_OTHERWISE: Final = (
    "That did not work",
    "Nothing was changed. Try again in a moment, and tell your operator if it stays so.",
)


def page_of_error(request: Request[Any, Any, Any], error: PageError) -> Response[str]:
    """Return the page that ends a visit early."""
    match error:
        case SignInNeeded():
            return pages.go_to(error.where)
        case FormRefused():
            return _page(request, 403)
        case HandedBack():
            return error.page
        case NoSuchPage():
            return _page(request, 404)
        case ApiRefused():
            return _refused(request, error)
        case _:
            return _page(request, 500)


def page_of_framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[str]:
    """Return the page of an error that the framework found."""
    return _page(request, error.status_code)


def page_of_answer(request: Request[Any, Any, Any], answer: Response[Any]) -> Response[str]:
    """Return the page in the place of the API's answer to what went wrong outside of the pages."""
    page = _page(request, answer.status_code or 500)
    if "Retry-After" in answer.headers:
        page.headers["Retry-After"] = answer.headers["Retry-After"]
    return page


def _refused(request: Request[Any, Any, Any], error: ApiRefused) -> Response[str]:
    problem = error.answer.problem
    return _render(request, error.answer.status, problem.title, problem.detail)


def _page(request: Request[Any, Any, Any], status: int) -> Response[str]:
    title, detail = _SHOWN.get(status, _OTHERWISE)
    return _render(request, status, title, detail)


def _render(request: Request[Any, Any, Any], status: int, title: str, detail: str) -> Response[str]:
    values = {
        "title": title,
        "detail": detail,
        "signed_in": False,
        "is_operator": False,
        "path": request.url.path,
        "token": "",
        "once": "",
    }
    return pages.page("error.html", values, status=status)
