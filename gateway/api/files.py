"""Rows of structs as a file that is sent while it is made: CSV that no spreadsheet runs, or Parquet."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from litestar.params import QueryParameter
from litestar.response import Stream
from msgspec import Struct, structs

from gateway.api.csv_cells import csv_text

FILES: Final = "files"
"""The key in a route's `opt` that names the media types of the files it answers with, for the document."""
FileFormat = Literal["csv", "parquet"]
AsFormat = Annotated[FileFormat, QueryParameter(name="format", description="`csv` or `parquet`.")]
CSV: Final = "text/csv"
PARQUET: Final = "application/vnd.apache.parquet"
_MEDIA_TYPES: Final[dict[FileFormat, str]] = {
    "csv": CSV,
    "parquet": PARQUET,
}


def file_of(
    row_type: type[Struct], batches: AsyncGenerator[list[Any]], *, name: str, form: FileFormat, owner: UUID
) -> Stream:
    """Return the answer that carries the owner's rows; whatever goes wrong on the way cuts it off."""
    return Stream(
        csv_pieces(row_type, batches) if form == "csv" else _parquet_pieces(row_type, batches, owner),
        media_type=_MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{name}.{form}"', "Cache-Control": "no-store"},
    )


def _parquet_pieces(
    row_type: type[Struct], batches: AsyncGenerator[list[Any]], owner: UUID
) -> AsyncGenerator[bytes]:
    from gateway.insight.parquet import parquet  # noqa: PLC0415 - 9 MB of every process that writes no such file

    return parquet(row_type, batches, owner=owner)


async def csv_pieces(row_type: type[Struct], batches: AsyncGenerator[list[Any]]) -> AsyncGenerator[str]:
    """Yield a header of the wire's names and the rows."""
    yield csv_text([[each.encode_name for each in structs.fields(row_type)]])
    async for rows in batches:
        yield csv_text([cell(value) for value in structs.astuple(row)] for row in rows)


def csv_of(row_type: type[Struct], rows: list[Any]) -> str:
    """Return a small file whole."""
    header = [each.encode_name for each in structs.fields(row_type)]
    return csv_text([header, *([cell(value) for value in structs.astuple(row)] for row in rows)])


def cell(value: object) -> str:
    """Return a value as a cell has it: nothing for None, `true` and `false`."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
