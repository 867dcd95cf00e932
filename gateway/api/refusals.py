"""A refusal on its way out: raised by routes and the edge, shown as RFC 9457 problem+json."""

from typing import Final, Literal

import msgspec
from litestar import Response
from msgspec import Struct

from gateway.api.problems import PROBLEMS
from gateway.intake.outcome import FieldFault

PROBLEM_JSON: Final = "application/problem+json"
_ENCODER = msgspec.json.Encoder()
_UNPROCESSABLE: Final = 422


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every refusal (RFC 9457)."""

    type: str
    """URL of the page about `code`."""
    title: str
    status: int
    detail: str
    """What is wrong with this request, and the way out."""
    instance: str
    """The request id, as in `X-Request-Id`; quote it to support."""
    code: str
    """Stable; the list is `docs/errors.md`."""
    retryable: bool
    """Whether the unchanged request may succeed later."""
    charged: Literal[False]
    """A refused request never costs anything."""
    retry_after_ms: int | None = None
    estimated_dispatch_at: str | None = None
    """Of `queue_full`: when the message would leave, had it lived so long."""
    errors: tuple[FieldFault, ...] = ()
    """On every 422: each wrong field, by JSON pointer; `?name` is a query parameter, `/` all of the body."""


class Refusal(Exception):
    """Ends a request with the problem of `code`; nothing was stored."""

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        errors: tuple[FieldFault, ...] = (),
        retry_after_ms: int | None = None,
        estimated_dispatch_at: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.kind = PROBLEMS[code]
        self.detail = self.kind.explanation if detail is None else detail
        self.errors = errors
        self.retry_after_ms = retry_after_ms
        self.estimated_dispatch_at = estimated_dispatch_at
        self.headers = headers or {}
        super().__init__(self.detail)

    @classmethod
    def of_field(cls, field: str, code: str, detail: str) -> "Refusal":
        """Return the 422 for one field; its own code stands on top where the table has it."""
        known = PROBLEMS.get(code)
        top = code if known is not None and known.status == _UNPROCESSABLE else "validation_failed"
        return cls(top, detail, errors=(FieldFault(field=field, code=code, detail=detail),))


def problem_of(refusal: Refusal, *, public_url: str, request_id: str) -> Problem:
    """Return the body that shows `refusal`."""
    kind, errors = refusal.kind, refusal.errors
    if kind.status == _UNPROCESSABLE and not errors:
        errors = (FieldFault(field="/", code=kind.code, detail=refusal.detail),)
    return Problem(
        type=f"{public_url}/docs/errors/{kind.code}",
        title=kind.title,
        status=kind.status,
        detail=refusal.detail,
        instance=request_id,
        code=kind.code,
        retryable=kind.retryable,
        charged=False,
        retry_after_ms=refusal.retry_after_ms,
        estimated_dispatch_at=refusal.estimated_dispatch_at,
        errors=errors,
    )


def problem_response(refusal: Refusal, *, public_url: str, request_id: str) -> Response[bytes]:
    """Return the whole HTTP answer, with Retry-After where waiting helps."""
    problem = problem_of(refusal, public_url=public_url, request_id=request_id)
    headers = dict(refusal.headers)
    if refusal.retry_after_ms is not None:
        headers["Retry-After"] = str(max(1, -(-refusal.retry_after_ms // 1000)))
    return Response(
        _ENCODER.encode(problem), status_code=problem.status, headers=headers, media_type=PROBLEM_JSON
    )
