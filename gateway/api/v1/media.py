"""`/v1/media`: files for MMS."""

from typing import Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_IDEMPOTENCY, refusals
from gateway.api.path_ids import path_id
from gateway.api.refusals import Refusal
from gateway.api.uploads import UploadOperation, uploaded
from gateway.intake.outcome import FieldFault
from gateway.media import store
from gateway.media.kinds import MAX_BYTES, MediaRefused
from gateway.media.models import MediaFile
from gateway.messages.view import timestamp
from tenants.ids import encode

_ROOM_FOR_A_FORM: Final = 16 * 1024
_FIELD: Final = "file"


class MediaFileView(Struct, frozen=True, kw_only=True):
    """A file that an MMS may carry."""

    id: str
    """`med_…`, for the `media` of a send."""
    content_type: str
    """Found from the bytes, whatever the request called it."""
    size_bytes: int
    sha256: str
    created_at: str
    expires_at: str
    """When it is deleted; a message whose life ends later is refused."""
    test: bool


def media_file_view(row: MediaFile) -> MediaFileView:
    """Return a file as the wire shows it."""
    return MediaFileView(
        id=encode("med", row.id),
        content_type=row.content_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256.hex(),
        created_at=timestamp(row.created_at) or "",
        expires_at=timestamp(row.expires_at) or "",
        test=row.test,
    )


@post(
    "/media",
    status_code=201,
    opt={NEEDS: "messages:send"},
    request_max_body_size=MAX_BYTES + _ROOM_FOR_A_FORM,
    responses=refusals(*TENANT, *WITH_IDEMPOTENCY, "body_too_large", "media_refused", "media_unavailable"),
    operation_class=UploadOperation,
    summary="Upload a file for MMS",
    description=(
        "The bytes as the body, or as the field `file` of a form. PNG, JPEG and GIF up to 2 MB; TIFF, PDF, "
        "MP4, QuickTime, 3GPP, WebM, MP3, AMR, Ogg, vCard and iCalendar up to 600 KB. Pictures are decoded "
        "whole. 201 means that the file lies where AWS will read it."
    ),
)
async def upload_media(request: ApiRequest, desk: NamedDependency[Desk]) -> Response[MediaFileView]:
    """Judge and stage one file."""
    found = await desk.services.media.staged(request.auth, await uploaded(request))
    if isinstance(found, MediaRefused):
        raise Refusal(found.code, found.detail, errors=(_fault(found),))

    async def work(session: AsyncSession) -> MediaFileView:
        session.add(found)
        await session.flush()
        return media_file_view(found)

    return await desk.tenant_once(request, work, status=201)


@get(
    "/media/{media_id:str}",
    opt={NEEDS: "messages:read"},
    responses=refusals(*TENANT, "not_found"),
    summary="Read what is known of a file",
)
async def get_media(
    request: ApiRequest, media_id: FromPath[str], desk: NamedDependency[Desk]
) -> MediaFileView:
    """Return one file's facts; its bytes are not given out again."""
    wanted = path_id("med", media_id, "file")
    async with desk.tenant(request.auth) as session:
        found = await store.get(request.auth, session, wanted)
    if found is None:
        raise Refusal("not_found", "There is no such file.")
    return media_file_view(found)


def _fault(found: MediaRefused) -> FieldFault:
    return FieldFault(field=f"/{_FIELD}", code=found.fault, detail=found.detail)
