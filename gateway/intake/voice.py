"""
What a call may say: plain text, or SSML that Amazon Polly reads. Pure.

The text is a tenant's, so the parser takes no document type: without one there are no entities, and with no
entities neither files to include nor bombs to expand.
"""

import re
from typing import Final
from xml.parsers import expat

from msgspec import Struct

MAX_TEXT: Final = 3000
MAX_SSML: Final = 6000
DEFAULT_VOICE: Final = "MATTHEW"
"""AWS's own default."""

_TAGS: Final = frozenset(
    {
        "speak", "break", "emphasis", "lang", "mark", "p", "phoneme", "prosody", "s", "say-as", "sub", "w",
        "amazon:auto-breaths", "amazon:breath", "amazon:domain", "amazon:effect",
    }
)  # fmt: skip
"""What Polly reads: docs.aws.amazon.com/polly/latest/dg/supportedtags.html."""
_CHARACTERS_PER_S: Final = 12
"""Slow reading; English is read at about fourteen."""
_SLOWED: Final = 2
"""How much longer a text may take whose SSML changes the pace."""
_OPENING_S: Final = 5
"""From the answer to the first word, and from the last to the end."""
_MAX_BREAK_S: Final = 10.0
_BREAK_STRENGTHS_S: Final = 2.0
_MINUTE_S: Final = 60
_MAX_MINUTES: Final = 60
_PAUSE: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s)")


class Spoken(Struct, frozen=True, kw_only=True):
    """A text as it will be heard."""

    minutes: int
    """Begun minutes that the call is expected to last at most; the hold is for so many."""


class SpeechFault(Struct, frozen=True, kw_only=True):
    """The first thing that keeps a text from being read out."""

    code: str
    detail: str


class _Script:
    """Collects what is heard of one SSML document."""

    def __init__(self) -> None:
        self.depth = 0
        self.characters = 0
        self.pauses_s = 0.0
        self.paced = False

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        if self.depth == 0 and tag != "speak":
            raise _NotSpeech(f"the outermost element is <speak>, not <{tag[:40]}>")
        if tag not in _TAGS:
            raise _NotSpeech(f"<{tag[:40]}> is no element that can be read out")
        self.depth += 1
        if tag == "break":
            self.pauses_s += _pause_s(attributes.get("time"))
        self.paced = self.paced or (tag == "prosody" and "rate" in attributes)
        self.characters += len(attributes.get("alias", "")) if tag == "sub" else 0

    def end(self, _tag: str) -> None:
        self.depth -= 1

    def text(self, data: str) -> None:
        self.characters += len(data)

    def no_document_type(self, *_: object) -> None:
        raise _NotSpeech("a document type is not allowed in SSML")


class _NotSpeech(Exception):
    pass


def spoken(text: str, *, ssml: bool) -> Spoken | SpeechFault:
    """Return how long a text takes to read out, or why it cannot be."""
    limit = MAX_SSML if ssml else MAX_TEXT
    if len(text) > limit:
        return SpeechFault(
            code="body_too_long", detail=f"the text has {len(text)} characters, a call takes at most {limit}"
        )
    if not ssml:
        return Spoken(minutes=_minutes(len(text) / _CHARACTERS_PER_S))
    script = _Script()
    try:
        _parser(script).Parse(text, True)  # noqa: FBT003 - the C function takes it by place
    except (_NotSpeech, expat.ExpatError) as error:
        return SpeechFault(code="invalid_ssml", detail=f"the SSML cannot be read: {error}")
    if script.characters == 0:
        return SpeechFault(code="body_empty", detail="the SSML says nothing")
    seconds = script.characters / _CHARACTERS_PER_S * (_SLOWED if script.paced else 1) + script.pauses_s
    return Spoken(minutes=_minutes(seconds))


def _parser(script: _Script) -> expat.XMLParserType:
    parser = expat.ParserCreate(encoding="utf-8")
    parser.StartDoctypeDeclHandler = script.no_document_type
    parser.EntityDeclHandler = script.no_document_type
    parser.StartElementHandler = script.begin
    parser.EndElementHandler = script.end
    parser.CharacterDataHandler = script.text
    return parser


def _pause_s(time: str | None) -> float:
    found = None if time is None else _PAUSE.fullmatch(time.strip())
    if found is None:
        return _BREAK_STRENGTHS_S
    return min(_MAX_BREAK_S, float(found[1]) / (1000 if found[2] == "ms" else 1))


def _minutes(seconds: float) -> int:
    return min(_MAX_MINUTES, int((seconds + _OPENING_S) // _MINUTE_S) + 1)
