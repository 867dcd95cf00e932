"""Registrations and their versions: create, submit, discard, delete, describe."""

from typing import Any

from gateway.emulator.arns import build
from gateway.emulator.call import Call
from gateway.emulator.errors import conflict, not_found, quota, validation
from gateway.emulator.filters import Readers, filtered
from gateway.emulator.operations.ids import resource_id
from gateway.emulator.operations.lookups import listed, required
from gateway.emulator.operations.tagging import check_tags, drop_tags, keep_tags
from gateway.emulator.paging import page
from gateway.emulator.registration_forms import Form, form_of
from gateway.emulator.reviews import UNDER_REVIEW
from gateway.emulator.state.records import PhoneNumber
from gateway.emulator.state.registration_records import Registration, Version

READERS: Readers[Registration] = {
    "registration-type": lambda registration: registration.type,
    "registration-status": lambda registration: registration.status,
}
VERSION_READERS: Readers[Version] = {"registration-version-status": lambda version: version.status}

HISTORY_MEMBERS = {
    "DRAFT": "DraftTimestamp",
    "SUBMITTED": "SubmittedTimestamp",
    "AWS_REVIEWING": "AwsReviewingTimestamp",
    "REVIEWING": "ReviewingTimestamp",
    "REQUIRES_AUTHENTICATION": "RequiresAuthenticationTimestamp",
    "APPROVED": "ApprovedTimestamp",
    "DISCARDED": "DiscardedTimestamp",
    "DENIED": "DeniedTimestamp",
    "REVOKED": "RevokedTimestamp",
    "ARCHIVED": "ArchivedTimestamp",
}

OPEN_VERSIONS = UNDER_REVIEW | {"DRAFT"}
DELETABLE = frozenset({"CREATED", "REQUIRES_UPDATES", "COMPLETE", "CLOSED"})
DAY_S = 86_400.0


def create_registration(call: Call) -> dict[str, Any]:
    """Open a registration with an empty draft."""
    tags = check_tags(call)
    form = required_form(call.input["RegistrationType"])
    if call.store.count(Registration) >= call.world.options.effective_quotas().registrations:
        raise quota("REGISTRATIONS_PER_ACCOUNT")
    registration = Registration(
        scope=call.store.scope,
        id=resource_id("registration"),
        type=form.type,
        status="CREATED",
        created_s=call.now_s,
        versions=[_draft(call, 1)],
    )
    call.store.put(registration)
    described = describe(call, registration)
    return {**described, **keep_tags(call, arn_of(call, registration), tags)}


def delete_registration(call: Call) -> dict[str, Any]:
    """Delete a registration that nothing depends on."""
    registration = named(call)
    if registration.status not in DELETABLE:
        raise conflict("RESOURCE_DELETION_NOT_ALLOWED", "registration", registration.id)
    form = required_form(registration.type)
    for key in registration.associations:
        if not _released_by_deletion(form, key):
            raise conflict("RESOURCE_DELETION_NOT_ALLOWED", "registration", registration.id)
    others = (each for each in call.store.all(Registration) if registration.id in each.associations)
    if any(others):
        raise conflict("RESOURCE_DELETION_NOT_ALLOWED", "registration", registration.id)
    for key in registration.associations:
        number = call.store.find(PhoneNumber, key)
        if number is not None:
            number.registration_id = None
            call.store.put(number)
    drop_tags(call, arn_of(call, registration))
    call.store.remove(registration)
    registration.status = "DELETED"
    return describe(call, registration)


def describe_registrations(call: Call) -> dict[str, Any]:
    """List registrations."""
    found = filtered(listed(call, Registration, "RegistrationIds"), call.input.get("Filters"), READERS)
    shown, following = page(found, call)
    return {"Registrations": [describe(call, each) for each in shown], **following}


def create_registration_version(call: Call) -> dict[str, Any]:
    """Begin another filling of the form, with empty fields."""
    registration = named(call)
    if registration.versions[-1].status in OPEN_VERSIONS:
        raise conflict("CREATE_REGISTRATION_VERSION_NOT_ALLOWED", "registration", registration.id)
    today = [each for each in registration.versions if call.now_s - each.history_s["DRAFT"] < DAY_S]
    if len(today) >= call.world.options.effective_quotas().registration_versions_per_day:
        raise quota("REGISTRATION_VERSIONS_CREATED_PER_DAY")
    version = _draft(call, registration.versions[-1].number + 1)
    registration.versions.append(version)
    call.store.put(registration)
    return {**named_members(call, registration), **_version_members(version)}


def submit_registration_version(call: Call) -> dict[str, Any]:
    """Hand the draft to the reviewers."""
    registration = named(call)
    version = registration.versions[-1]
    if version.status in UNDER_REVIEW:
        raise conflict("REGISTRATION_ALREADY_SUBMITTED", "registration", registration.id)
    if version.status != "DRAFT":
        raise conflict("SUBMIT_REGISTRATION_VERSION_NOT_ALLOWED", "registration", registration.id)
    if not _is_complete(registration, version):
        raise conflict("REGISTRATION_NOT_COMPLETE", "registration", registration.id)
    asked: bool = call.input.get("AwsReview", False)
    _mark(call, version, "SUBMITTED")
    registration.status = "SUBMITTED"
    if asked:
        _mark(call, version, "AWS_REVIEWING")
        registration.status = "AWS_REVIEWING"
    call.world.reviews.begin(call.store, registration)
    return {**named_members(call, registration), **_version_members(version), "AwsReview": asked}


def discard_registration_version(call: Call) -> dict[str, Any]:
    """Drop a draft, or a submission that nobody has looked at yet."""
    registration = named(call)
    version = registration.versions[-1]
    if version.status not in {"DRAFT", "SUBMITTED"}:
        raise conflict("DISCARD_REGISTRATION_VERSION_NOT_ALLOWED", "registration", registration.id)
    _mark(call, version, "DISCARDED")
    registration.next_step_ms = 0.0
    statuses = {each.status for each in registration.versions}
    if "APPROVED" in statuses:
        registration.status = "COMPLETE"
    else:
        registration.status = "REQUIRES_UPDATES" if "DENIED" in statuses else "CREATED"
    call.store.put(registration)
    return {**named_members(call, registration), **_version_members(version)}


def describe_registration_versions(call: Call) -> dict[str, Any]:
    """List versions, the newest first."""
    registration = named(call)
    wanted: list[int] = call.input.get("VersionNumbers", [])
    known = {each.number: each for each in registration.versions}
    missing = [number for number in wanted if number not in known]
    if missing:
        raise not_found("registration", f"{registration.id} version {missing[0]}")
    chosen = [known[number] for number in wanted] if wanted else registration.versions[::-1]
    shown, following = page(filtered(chosen, call.input.get("Filters"), VERSION_READERS), call)
    described = [{**_version_members(each), **_verdict(each)} for each in shown]
    return {**named_members(call, registration), "RegistrationVersions": described, **following}


def named(call: Call) -> Registration:
    """Return the registration that the call names."""
    return required(call, Registration, call.input["RegistrationId"], "RegistrationId")


def named_members(call: Call, registration: Registration) -> dict[str, Any]:
    """Return the ARN and id members of a registration."""
    return {"RegistrationArn": arn_of(call, registration), "RegistrationId": registration.id}


def arn_of(call: Call, registration: Registration) -> str:
    """Return the ARN of a registration."""
    return build(call.store, "registration", registration.id)


def required_form(registration_type: str) -> Form:
    """Return the form of a type, or raise UNKNOWN_REGISTRATION_TYPE."""
    form = form_of(registration_type)
    if form is None:
        raise validation(
            "UNKNOWN_REGISTRATION_TYPE", f"No such registration type: {registration_type}", "RegistrationType"
        )
    return form


def describe(call: Call, registration: Registration) -> dict[str, Any]:
    """Return a registration as the API shows it."""
    approved = [each.number for each in registration.versions if each.status == "APPROVED"]
    denied = [each.number for each in registration.versions if each.status == "DENIED"]
    return {
        **named_members(call, registration),
        "RegistrationType": registration.type,
        "RegistrationStatus": registration.status,
        "CurrentVersionNumber": registration.versions[-1].number,
        **({"ApprovedVersionNumber": approved[-1]} if approved else {}),
        **({"LatestDeniedVersionNumber": denied[-1]} if denied else {}),
        "CreatedTimestamp": registration.created_s,
    }


def _draft(call: Call, number: int) -> Version:
    return Version(number=number, status="DRAFT", history_s={"DRAFT": call.now_s})


def _mark(call: Call, version: Version, status: str) -> None:
    version.status = status
    version.history_s = {**version.history_s, status: call.now_s}


def _is_complete(registration: Registration, version: Version) -> bool:
    form = required_form(registration.type)
    if form.missing(version.fields):
        return False
    before = [each.resource_type for each in form.associations if each.behavior == "ASSOCIATE_BEFORE_SUBMIT"]
    kinds = {_kind_of(key) for key in registration.associations}
    return kinds.issuperset(before)


def _kind_of(key: str) -> str:
    if "/" in key:
        return "SENDER_ID"
    return "REGISTRATION" if key.startswith("registration-") else "PHONE_NUMBER"


def _released_by_deletion(form: Form, key: str) -> bool:
    association = form.association_of(_kind_of(key))
    return association is not None and association.disassociation == "DELETE_REGISTRATION_DISASSOCIATES"


def _version_members(version: Version) -> dict[str, Any]:
    return {
        "VersionNumber": version.number,
        "RegistrationVersionStatus": version.status,
        "RegistrationVersionStatusHistory": {
            HISTORY_MEMBERS[status]: moment for status, moment in version.history_s.items()
        },
    }


def _verdict(version: Version) -> dict[str, Any]:
    denied = [
        {
            "Reason": each.reason,
            "ShortDescription": each.short,
            **({"LongDescription": each.long} if each.long else {}),
        }
        for each in version.denied
    ]
    feedback = {"Feedback": version.feedback} if version.feedback else {}
    return {**({"DeniedReasons": denied} if denied else {}), **feedback}


OPERATIONS = {
    "CreateRegistration": create_registration,
    "DeleteRegistration": delete_registration,
    "DescribeRegistrations": describe_registrations,
    "CreateRegistrationVersion": create_registration_version,
    "SubmitRegistrationVersion": submit_registration_version,
    "DiscardRegistrationVersion": discard_registration_version,
    "DescribeRegistrationVersions": describe_registration_versions,
}
