"""`/docs`: the repository's own pages, rendered here, with nothing loaded from anywhere else."""

import html
import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from litestar import MediaType, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Redirect
from markdown_it import MarkdownIt

from gateway.api.errors_document import errors_markdown, section_markdown
from gateway.api.exchange import exchange_of
from gateway.api.problems import PROBLEMS
from gateway.api.refusals import Refusal

_POLICY: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:"
}
_STYLE: Final = (
    "body{font:16px/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;"
    "background:#fff}a{color:#0b57d0}pre,code{font:14px/1.5 ui-monospace,monospace;background:#f3f4f6}"
    "code{padding:.1em .3em}pre{padding:1rem;overflow:auto}pre code{padding:0}"
    "table{border-collapse:collapse;display:block;overflow-x:auto}"
    "img{max-width:100%;border:1px solid #d0d7de}"
    "td,th{border:1px solid #d0d7de;padding:.3rem .6rem;text-align:left}"
    "@media(prefers-color-scheme:dark){body{background:#0f1419;color:#e6edf3}a{color:#7cb3ff}"
    "pre,code{background:#1c232b}td,th{border-color:#3a434d}}"
)
_MARKDOWN_LINK: Final = re.compile(r'href="(?![a-z]+:|/|#)([^"#]+)\.md(#[^"]*)?"')
_HEADING: Final = re.compile(r"<h([1-6])>(.*?)</h\1>")
_TAG: Final = re.compile(r"<[^>]+>")
_TITLE: Final = re.compile(r"^# (.+)$", re.MULTILINE)
_A_PAGE: Final = "text/html"
_NO_PAGE: Final = '<h1>{title}</h1><p>See <a href="/docs">the list of all pages</a>.</p>'

AnyRequest = Request[Any, Any, Any]


class Library:
    """Markdown pages by their path below `docs`, without `.md`; read once, when the process starts."""

    def __init__(self, folder: Path | None) -> None:
        self._pages: dict[str, str] = dict(_read(folder)) if folder is not None else {}
        self._pages["errors"] = errors_markdown()
        self._pictures: dict[str, bytes] = dict(_read_pictures(folder)) if folder is not None else {}
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable("table")

    def titles(self) -> list[tuple[str, str]]:
        """Return (path, title) of every page, in order of paths."""
        return [(path, _title(path, text)) for path, text in sorted(self._pages.items())]

    def page(self, path: str) -> str | None:
        """Return a page as HTML, or None if there is none of that path."""
        text = self._pages.get(path)
        return None if text is None else whole_page(_title(path, text), self.render(text))

    def picture(self, path: str) -> bytes | None:
        """Return a picture of a page, PNG, or None if there is none of that path."""
        return self._pictures.get(path)

    def render(self, markdown: str) -> str:
        """Return Markdown as HTML with anchors at headings and links between pages."""
        body = _MARKDOWN_LINK.sub(r'href="\1\2"', str(self._markdown.render(markdown)))
        return _HEADING.sub(_anchored, body)


def docs_folder() -> Path | None:
    """Return the folder of the documentation: packaged beside the code, or in the checkout around it."""
    package = Path(str(files("gateway")))
    return next((folder for folder in (package / "docs", package.parent / "docs") if folder.is_dir()), None)


def docs_routes(library: Library) -> list[HTTPRouteHandler]:
    """Return the routes that serve `library`."""
    index_page = _index(library)

    @get("/", include_in_schema=False, sync_to_thread=False)
    def get_front_door() -> Redirect:
        """Whoever types the bare address into a browser wants to know what this is."""
        return Redirect("/docs", status_code=302)

    @get(["/docs", "/docs/"], include_in_schema=False, media_type=MediaType.HTML, sync_to_thread=False)
    def get_docs_index() -> Response[str]:
        return _html(index_page)

    @get("/docs/errors/{code:str}", include_in_schema=False, media_type=MediaType.HTML, sync_to_thread=False)
    def get_error_page(request: AnyRequest, code: FromPath[str]) -> Response[str]:
        return _found(request, _error_page(library, code))

    @get("/docs/errors", include_in_schema=False, media_type=MediaType.HTML, sync_to_thread=False)
    def get_errors_page(request: AnyRequest) -> Response[str]:
        return _found(request, library.page("errors"))

    @get("/docs/{page:path}", include_in_schema=False, media_type=MediaType.HTML, sync_to_thread=False)
    def get_docs_page(request: AnyRequest, page: FromPath[Path]) -> Response[str] | Response[bytes]:
        picture = library.picture(str(page).strip("/"))
        if picture is not None:
            return Response(picture, headers=_POLICY, media_type="image/png")
        return _found(request, library.page(str(page).strip("/").removesuffix(".md")))

    return [get_front_door, get_docs_index, get_error_page, get_errors_page, get_docs_page]


def whole_page(title: str, body: str) -> str:
    """Return a complete HTML page without outside assets."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body>"
        f'<nav><a href="/docs">Tollgate documentation</a></nav><main>{body}</main></body></html>'
    )


def _error_page(library: Library, code: str) -> str | None:
    kind = PROBLEMS.get(code)
    if kind is None:
        return None
    text = f"# {kind.title}\n\n`{kind.code}`\n\n{section_markdown(kind)}\n[All error codes](/docs/errors)\n"
    return whole_page(kind.title, library.render(text))


def _index(library: Library) -> str:
    pages = "".join(
        f'<li><a href="/docs/{html.escape(path)}">{html.escape(title)}</a></li>'
        for path, title in library.titles()
    )
    reference = '<p>The API in a machine\'s words: <a href="/openapi.json">/openapi.json</a></p>'
    return whole_page("Tollgate documentation", f"<h1>Documentation</h1>{reference}<ul>{pages}</ul>")


def _found(request: AnyRequest, page: str | None) -> Response[str]:
    """Show a page, or say that there is none: to a browser by a page, to a program as everywhere."""
    if page is not None:
        return _html(page)
    refusal = Refusal("no_such_route")
    if _A_PAGE not in request.headers.get("accept", ""):
        raise refusal
    exchange_of(request.scope).code = refusal.kind.code
    title = refusal.kind.title
    return _html(whole_page(title, _NO_PAGE.format(title=html.escape(title))), status=refusal.kind.status)


def _html(page: str, *, status: int = 200) -> Response[str]:
    return Response(page, status_code=status, headers=_POLICY, media_type=MediaType.HTML)


def _read(folder: Path) -> Iterable[tuple[str, str]]:
    for path in sorted(folder.rglob("*.md")):
        yield path.relative_to(folder).with_suffix("").as_posix(), path.read_text(encoding="utf-8")


def _read_pictures(folder: Path) -> Iterable[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*.png")):
        yield path.relative_to(folder).as_posix(), path.read_bytes()


def _title(path: str, text: str) -> str:
    found = _TITLE.search(text)
    return path if found is None else found[1]


def _anchored(heading: re.Match[str]) -> str:
    words: Any = _TAG.sub("", heading[2]).lower()
    anchor = re.sub(r"[^a-z0-9_]+", "-", html.unescape(words)).strip("-")
    return f'<h{heading[1]} id="{anchor}">{heading[2]}</h{heading[1]}>'
