"""`tollgate registrations import`: every row judged first, then brought in one by one."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from msgspec import Struct

from gateway.client import ApiRefused, Client, path_of
from tenants.registrations.attached_files import AttachmentRefused
from tenants.registrations.attachments import clean
from tenants.registrations.costs import cost_of
from tenants.registrations.forms import Form
from tenants.registrations.importing import IMAGE, ImportRow, RowFault, judged

TYPE: Final = "US_TOLL_FREE_REGISTRATION"
_IMAGE_FIELD: Final = "messagingUseCase.optInImage"


class RowResult(Struct, frozen=True, kw_only=True):
    """What became of one line."""

    line: int
    company: str
    outcome: str
    """`ok` (dry run), `faulty`, `submitted`, `known`, or `failed`."""
    registration: str = ""
    detail: str = ""


def form_over(client: Client, *, by_operator: bool) -> Form:
    """Return the toll-free form as AWS describes it today."""
    home = ("admin",) if by_operator else ()
    return msgspec.convert(client.get(path_of(*home, "registration-forms", TYPE)), Form)


def faults_of(row: ImportRow, form: Form, images: Path) -> Iterator[RowFault]:
    """Yield everything against a row, its picture included; asks nobody."""
    yield from judged(row, form)
    if row.image:
        refused = _image_fault(images / Path(row.image).name)
        if refused is not None:
            yield RowFault(line=row.line, field=IMAGE, code=refused[0], detail=refused[1])


def _image_fault(path: Path) -> tuple[str, str] | None:
    try:
        found = clean(path.read_bytes())
    except OSError as error:
        return "no_such_file", f"{path}: {error.strerror}"
    return (found.code, found.detail) if isinstance(found, AttachmentRefused) else None


def brought(client: Client, row: ImportRow, form: Form, images: Path, *, tenant: str | None) -> RowResult:
    """Open, attach, confirm and submit one row; one that is under way or decided is left alone."""
    home = ("registrations",) if tenant is None else ("admin", "tenants", tenant, "registrations")
    try:
        return _brought(client, row, form, images, home)
    except ApiRefused as refused:
        return RowResult(line=row.line, company=row.name, outcome="failed", detail=str(refused))


def _brought(client: Client, row: ImportRow, form: Form, images: Path, home: Sequence[str]) -> RowResult:
    body = {"type": TYPE, "name": row.name, "reference": row.reference, "values": row.values}
    made: Any = client.post(path_of(*home), body)
    place = path_of(*home, made["id"])
    if made["status"] != "draft":
        return RowResult(
            line=row.line, company=row.name, outcome="known", registration=made["id"], detail=made["status"]
        )
    client.call("PUT", f"{place}/fields", {"values": row.values})
    if row.image:
        client.call(
            "POST",
            f"{place}/attachments",
            query={"field": _IMAGE_FIELD, "name": Path(row.image).name},
            content=(images / Path(row.image).name).read_bytes(),
        )
    cost = cost_of(form.type)
    if cost is not None:
        client.post(f"{place}/confirm-cost", {"monthly_usd": cost.monthly_usd, "once_usd": cost.once_usd})
    shown: Any = client.post(f"{place}/submit")
    return RowResult(
        line=row.line, company=row.name, outcome="submitted", registration=made["id"], detail=shown["status"]
    )


def accepted_cost(form: Form, count: int, *, yes: bool) -> None:
    """
    Ask before anything costs.

    Raises:
        click.Abort: The answer was no.
    """
    cost = cost_of(form.type)
    if cost is None or count == 0 or yes:
        return
    monthly = float(cost.monthly_usd) * count
    click.confirm(
        f"{count} numbers cost {monthly:.2f} USD a month from the moment they are requested. {cost.warning} "
        "Go on?",
        abort=True,
        err=True,
    )
