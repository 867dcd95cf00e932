"""What a call may say, and how long it takes."""

from typing import get_args

import botocore.session
import pytest

from gateway.intake.request import VoiceId
from gateway.intake.voice import SpeechFault, Spoken, spoken


def test_the_voices_are_those_of_aws() -> None:
    """A name that AWS does not know would fail after the accept."""
    model = botocore.session.get_session().get_service_model("pinpoint-sms-voice-v2")
    assert set(model.shape_for("VoiceId").enum) == set(get_args(VoiceId))


def test_plain_text_has_3000_characters_at_most() -> None:
    """AWS's limit, to the character."""
    assert isinstance(spoken("a" * 3000, ssml=False), Spoken)
    assert spoken("a" * 3001, ssml=False).code == "body_too_long"


def test_ssml_has_6000_characters_with_its_tags() -> None:
    """The same, for what is counted with its tags."""
    text = "a" * (6000 - len("<speak></speak>"))
    assert isinstance(spoken(f"<speak>{text}</speak>", ssml=True), Spoken)
    assert spoken(f"<speak>{text}a</speak>", ssml=True).code == "body_too_long"


@pytest.mark.parametrize(
    "ssml",
    [
        "hello",
        "<p>hello</p>",
        "<speak>hello",
        "<speak>hello</speak><speak/>",
        "<speak><script>1</script></speak>",
        "<speak><audio src='https://example.com/a.mp3'/></speak>",
        '<!DOCTYPE speak [<!ENTITY a "b">]><speak>&a;</speak>',
        '<!DOCTYPE speak SYSTEM "file:///etc/passwd"><speak>x</speak>',
        "<speak>&undefined;</speak>",
    ],
)
def test_ssml_that_is_none_is_refused(ssml: str) -> None:
    """What Polly would not read, and whatever needs a document type."""
    found = spoken(ssml, ssml=True)
    assert isinstance(found, SpeechFault)
    assert found.code == "invalid_ssml"


def test_a_billion_laughs_cost_nothing() -> None:
    """The parser stops at the first declaration."""
    bomb = '<!DOCTYPE s [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><speak>&b;</speak>'
    assert spoken(bomb, ssml=True).code == "invalid_ssml"


def test_ssml_without_a_word_is_refused() -> None:
    """A call that says nothing is still charged."""
    assert spoken("<speak><break time='1s'/></speak>", ssml=True).code == "body_empty"


@pytest.mark.parametrize(
    ("text", "ssml", "minutes"),
    [
        ("Your code is 1 2 3 4", False, 1),
        ("a" * 659, False, 1),
        ("a" * 660, False, 2),
        ("a" * 3000, False, 5),
        ("<speak>hello" + "<break time='10s'/>" * 6 + "</speak>", True, 2),
        ("<speak>hello<break time='99999s'/></speak>", True, 1),
        ("<speak><prosody rate='x-slow'>" + "a" * 659 + "</prosody></speak>", True, 2),
    ],
)
def test_the_hold_is_for_begun_minutes(text: str, *, ssml: bool, minutes: int) -> None:
    """At twelve characters a second and five seconds more, with what the SSML adds."""
    assert spoken(text, ssml=ssml) == Spoken(minutes=minutes)
