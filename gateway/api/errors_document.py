"""
`docs/errors.md`, made from the table of problems.

    python -m gateway.api.errors_document > docs/errors.md
"""

import sys

from gateway.api.problems import PROBLEMS, ProblemKind

_INTRODUCTION = """\
# Errors

Every refusal is `application/problem+json` (RFC 9457). Decide on `code`: codes are a versioned public list,
to which names are added and in which none is changed. `retryable` says whether the unchanged request may
succeed later; `retry_after_ms` and the `Retry-After` header say when, and `estimated_dispatch_at` of
`queue_full` when the message would have left. `charged` is always `false`: a refused
request never costs anything. `errors` names each wrong field by JSON pointer, a query parameter as `?name`.
`instance` is the request id, also in `X-Request-Id`; quote it to support.

```json
{
  "type": "https://gateway.example/docs/errors/opted_out",
  "title": "The recipient has opted out",
  "status": 403,
  "detail": "the recipient is on the opt-out list of promotional messages",
  "instance": "req_01K3ZQ4V7N8R9T0W2Y4A6C8E0G",
  "code": "opted_out",
  "retryable": false,
  "charged": false
}
```

| code | status | retry | meaning |
|---|---|---|---|
"""


def errors_markdown() -> str:
    """Return the whole page."""
    kinds = PROBLEMS.values()
    return _INTRODUCTION + "".join(map(_row, kinds)) + "".join(map(_section, kinds))


def section_markdown(kind: ProblemKind) -> str:
    """Return what the page of one code says below its title."""
    retry = "may succeed later, unchanged" if kind.retryable else "will not succeed unchanged"
    return (
        f"Status {kind.status}; the request {retry}.\n\n"
        f"{kind.explanation}\n\n"
        f"**The way out.** {kind.way_out}\n"
    )


def _row(kind: ProblemKind) -> str:
    retry = "yes" if kind.retryable else "no"
    return f"| [`{kind.code}`](#{kind.code}) | {kind.status} | {retry} | {kind.title} |\n"


def _section(kind: ProblemKind) -> str:
    return f"\n## {kind.code}\n\n{kind.title}. {section_markdown(kind)}"


if __name__ == "__main__":
    sys.stdout.write(errors_markdown())
