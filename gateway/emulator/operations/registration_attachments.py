"""Documents for registration forms."""

import base64
from typing import Any

from gateway.emulator.arns import build
from gateway.emulator.call import Call
from gateway.emulator.errors import conflict, quota, validation
from gateway.emulator.filters import Readers, filtered
from gateway.emulator.operations.ids import resource_id
from gateway.emulator.operations.lookups import listed, required
from gateway.emulator.operations.tagging import check_tags, drop_tags, keep_tags
from gateway.emulator.paging import page
from gateway.emulator.state.registration_records import Attachment, Registration

READERS: Readers[Attachment] = {"attachment-status": lambda attachment: attachment.status}

LARGEST_BYTES = 500 * 1024
SIGNATURES = (b"%PDF-", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
"""How PDF, JPEG and PNG files begin."""
SUFFIXES = (".pdf", ".jpg", ".jpeg", ".png")
DAY_S = 86_400.0


def create_registration_attachment(call: Call) -> dict[str, Any]:
    """Upload a document, as bytes or by S3 address."""
    tags = check_tags(call)
    size_bytes = _check_content(call)
    kept = call.store.all(Attachment)
    quotas = call.world.options.effective_quotas()
    if len(kept) >= quotas.registration_attachments:
        raise quota("REGISTRATION_ATTACHMENTS_PER_ACCOUNT")
    if sum(call.now_s - each.created_s < DAY_S for each in kept) >= quotas.attachments_per_day:
        raise quota("REGISTRATION_ATTACHMENTS_CREATED_PER_DAY")
    attachment = Attachment(
        scope=call.store.scope,
        id=resource_id("attachment"),
        status="UPLOAD_COMPLETE",
        created_s=call.now_s,
        url=call.input.get("AttachmentUrl"),
        size_bytes=size_bytes,
    )
    call.store.put(attachment)
    return {**_described(call, attachment), **keep_tags(call, arn_of(call, attachment), tags)}


def delete_registration_attachment(call: Call) -> dict[str, Any]:
    """Delete a document that no form uses."""
    wanted = call.input["RegistrationAttachmentId"]
    attachment = required(call, Attachment, wanted, "RegistrationAttachmentId")
    for registration in call.store.all(Registration):
        used = (value.attachment_id for version in registration.versions for value in version.fields.values())
        if attachment.id in used:
            raise conflict("RESOURCE_DELETION_NOT_ALLOWED", "registration-attachment", attachment.id)
    drop_tags(call, arn_of(call, attachment))
    call.store.remove(attachment)
    attachment.status = "DELETED"
    return _described(call, attachment)


def describe_registration_attachments(call: Call) -> dict[str, Any]:
    """List documents."""
    found = filtered(
        listed(call, Attachment, "RegistrationAttachmentIds"), call.input.get("Filters"), READERS
    )
    shown, following = page(found, call)
    return {"RegistrationAttachments": [_described(call, each) for each in shown], **following}


def arn_of(call: Call, attachment: Attachment) -> str:
    """Return the ARN of a document."""
    return build(call.store, "registration-attachment", attachment.id)


def _check_content(call: Call) -> int:
    """Return the size in bytes, 0 where only the address is known."""
    body, url = call.input.get("AttachmentBody"), call.input.get("AttachmentUrl")
    if body is not None and url is not None:
        raise validation(
            "PARAMETERS_CANNOT_BE_USED_TOGETHER", "Give a body or a URL", "AttachmentBody", "AttachmentUrl"
        )
    if url is not None:
        _check_url(url)
        return 0
    if body is None:
        raise validation(
            "MISSING_PARAMETER", "A body or a URL is required", "AttachmentBody", "AttachmentUrl"
        )
    content = base64.b64decode(body)
    if len(content) > LARGEST_BYTES:
        raise validation("MAXIMUM_SIZE_EXCEEDED", "Attachments are limited to 500 KB", "AttachmentBody")
    if not content.startswith(SIGNATURES):
        raise validation("ATTACHMENT_TYPE_NOT_SUPPORTED", "Give a PDF, JPEG or PNG file", "AttachmentBody")
    return len(content)


def _check_url(url: str) -> None:
    if not url.startswith("s3://"):
        raise validation("INVALID_PARAMETER", "Give an s3://bucket/key address", "AttachmentUrl")
    if not url.lower().endswith(SUFFIXES):
        raise validation("ATTACHMENT_TYPE_NOT_SUPPORTED", "Give a PDF, JPEG or PNG file", "AttachmentUrl")


def _described(call: Call, attachment: Attachment) -> dict[str, Any]:
    return {
        "RegistrationAttachmentArn": arn_of(call, attachment),
        "RegistrationAttachmentId": attachment.id,
        "AttachmentStatus": attachment.status,
        "CreatedTimestamp": attachment.created_s,
    }


OPERATIONS = {
    "CreateRegistrationAttachment": create_registration_attachment,
    "DeleteRegistrationAttachment": delete_registration_attachment,
    "DescribeRegistrationAttachments": describe_registration_attachments,
}
