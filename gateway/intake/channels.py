"""
What a channel makes of a text: message parts, one picture message, or minutes of a call. Pure.

    sms     parts by encoding; parts are charged and counted against every rate
    mms     one unit whatever its text; US and Canada only
    voice   one request; charged by the minute
"""

from typing import Final

from msgspec import UNSET, Struct, structs

from gateway.admission.segments import Segments, check_body, check_characters, measure
from gateway.intake.outcome import DeclineCode, Declined, FieldFault
from gateway.intake.request import SendRequest, VoiceOptions
from gateway.intake.voice import DEFAULT_VOICE, Spoken, spoken
from gateway.messages.content import Speech

MMS_COUNTRIES: Final = frozenset({"US", "CA"})
"""Where AWS carries MMS."""
MMS_MAX_CHARACTERS: Final = 1600
_ONE_FILE: Final = 1


class Shaped(Struct, frozen=True, kw_only=True):
    """A text as its channel carries it."""

    segments: Segments
    """Its `parts` are what the rates count."""
    charged: int
    """Parts, messages or minutes: what the price is multiplied with."""
    speech: Speech | None = None


def channel_faults(request: SendRequest) -> list[FieldFault]:
    """Return what of the request does not belong to its channel."""
    faults: list[FieldFault] = []
    if request.channel != "mms" and request.media is not UNSET:
        faults.append(_fault("/media", "not_in_channel", "only the mms channel carries media"))
    if request.channel != "voice" and request.voice is not UNSET:
        faults.append(_fault("/voice", "not_in_channel", "only the voice channel reads texts out"))
    if isinstance(request.media, list) and len(request.media) != _ONE_FILE:
        faults.append(_fault("/media", "exactly_one", "AWS carries exactly one file per MMS"))
    if _is_ssml(request) and request.template is not UNSET:
        faults.append(_fault("/voice/text_type", "needs_body", "SSML is given as `body`, not by a template"))
    return faults


def shaped(request: SendRequest, text: str, country: str) -> Shaped | Declined:
    """Return what the channel makes of the text, or why it does not carry it."""
    if request.channel == "sms":
        fault = check_body(text)
        if fault is not None:
            return _declined(request, fault.code, fault.detail)
        segments = measure(text)
        return Shaped(segments=segments, charged=segments.parts)
    if request.channel == "mms":
        return _picture(request, text, country)
    return _call(request, text)


def _picture(request: SendRequest, text: str, country: str) -> Shaped | Declined:
    if country not in MMS_COUNTRIES:
        detail = (
            f"MMS reaches the United States and Canada, not {country}; leave `channel` out to send an SMS"
        )
        return Declined(
            code="not_supported",
            detail=detail,
            errors=(_fault("/channel", "not_in_country", detail),),
        )
    if text or request.media is UNSET:
        if len(text) > MMS_MAX_CHARACTERS:
            detail = f"the body has {len(text)} characters, an MMS takes at most {MMS_MAX_CHARACTERS}"
            return _declined(request, "body_too_long", detail)
        if (fault := check_body(text)) is not None:
            return _declined(request, fault.code, fault.detail)
    return Shaped(segments=_whole(text), charged=1)


def _call(request: SendRequest, text: str) -> Shaped | Declined:
    ssml = _is_ssml(request)
    found = spoken(text, ssml=ssml)
    if not isinstance(found, Spoken):
        return _declined(request, found.code, found.detail)
    if (fault := check_characters(text)) is not None:
        return _declined(request, fault.code, fault.detail)
    return Shaped(segments=_whole(text), charged=found.minutes, speech=_speech(request, ssml=ssml))


def _speech(request: SendRequest, *, ssml: bool) -> Speech:
    options = request.voice
    named = options.id if isinstance(options, VoiceOptions) else DEFAULT_VOICE
    return Speech(voice_id=named, text_type="ssml" if ssml else "text")


def _is_ssml(request: SendRequest) -> bool:
    return isinstance(request.voice, VoiceOptions) and request.voice.text_type == "ssml"


def _whole(text: str) -> Segments:
    """Any character may stand in it, and it is never cut."""
    return structs.replace(measure(text), parts=1, units_left_in_part=0)


def _declined(request: SendRequest, fault: str, detail: str) -> Declined:
    code: DeclineCode = "body_too_long" if fault == "body_too_long" else "validation_failed"
    field = "/template/variables" if request.body is UNSET and request.template is not UNSET else "/body"
    return Declined(code=code, detail=detail, errors=(_fault(field, fault, detail),))


def _fault(field: str, code: str, detail: str) -> FieldFault:
    return FieldFault(field=field, code=code, detail=detail)
