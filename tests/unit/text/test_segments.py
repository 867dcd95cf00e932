"""Part counts are money: every rule of GSM 03.38 and UCS-2, held to an independent counter."""

import random

import pytest
import smsutil

from gateway.admission.segments import (
    BODY_MAX_CHARACTERS,
    check_body,
    gsm_rewrite,
    measure,
)
from tenants.templates.alphabet import GSM_BASIC, GSM_EXTENSION

EMOJI = "\U0001f600"
_ALPHABETS = (
    GSM_BASIC,
    GSM_BASIC + GSM_EXTENSION,
    GSM_EXTENSION + "aé",
    "abc €",
    "Привет мир",
    "漢字かなab",
    f"a{EMOJI}\U0001f1e9é",
    GSM_BASIC + GSM_EXTENSION + EMOJI + "\u2019",
)


def _random_texts(count: int) -> list[str]:
    """Lengths gather around the boundaries, where counters go wrong."""
    dice = random.Random(20260101)
    texts = []
    for _ in range(count):
        boundary = dice.choice((0, 35, 67, 70, 80, 134, 153, 160, 201, 306))
        length = max(1, boundary + dice.randint(-6, 6))
        texts.append("".join(dice.choices(dice.choice(_ALPHABETS), k=length)))
    return texts


def test_part_counts_agree_with_an_independent_counter_on_a_hundred_thousand_texts():
    """The other one, smsutil, walks character by character: a shared mistake is unlikely."""
    for text in _random_texts(100_000):
        theirs = smsutil.split(text)
        ours = measure(text)
        per_unit = 1 if theirs.encoding == "gsm0338" else 2
        capacity = {1: (160, 153), 2: (70, 67)}[per_unit][len(theirs.parts) > 1]
        assert ours.encoding == ("GSM" if per_unit == 1 else "UNICODE"), text
        assert ours.parts == len(theirs.parts), text
        assert ours.units == theirs.total_bytes // per_unit, text
        assert ours.units_left_in_part == capacity - theirs.parts[-1].bytes // per_unit, text


@pytest.mark.parametrize(
    ("text", "encoding", "parts", "units", "left"),
    [
        ("", "GSM", 1, 0, 160),
        ("a" * 160, "GSM", 1, 160, 0),
        ("a" * 161, "GSM", 2, 161, 145),
        ("a" * 306, "GSM", 2, 306, 0),
        ("a" * 307, "GSM", 3, 307, 152),
        ("€" * 80, "GSM", 1, 160, 0),
        ("€" * 81, "GSM", 2, 162, 143),
        ("a" * 152 + "€" + "a" * 20, "GSM", 2, 174, 131),
        ("a" * 152 + "€" + "a" * 151, "GSM", 2, 305, 0),
        ("a" * 152 + "€" + "a" * 152, "GSM", 3, 306, 152),
        ("a" * 151 + "€" + "a" * 153, "GSM", 2, 306, 0),
        ("ж" * 70, "UNICODE", 1, 70, 0),
        ("ж" * 71, "UNICODE", 2, 71, 63),
        (EMOJI * 35, "UNICODE", 1, 70, 0),
        (EMOJI * 36, "UNICODE", 2, 72, 61),
        ("ж" * 66 + EMOJI + "ж" * 65, "UNICODE", 2, 133, 0),
        ("ж" * 66 + EMOJI + "ж" * 66, "UNICODE", 3, 134, 66),
        ("ж" * 65 + EMOJI + "ж" * 67, "UNICODE", 2, 134, 0),
    ],
)
def test_parts_at_every_boundary(text: str, encoding: str, parts: int, units: int, left: int):
    """A pair that would straddle a boundary moves to the next part and leaves a unit empty."""
    segments = measure(text)
    assert (segments.encoding, segments.parts, segments.units, segments.units_left_in_part) == (
        encoding,
        parts,
        units,
        left,
    )


def test_escape_alone_is_not_a_character_of_the_alphabet():
    """A phone would read it as the start of the next character, though smsutil takes 0x1B for one."""
    assert measure("\x1b").encoding == "UNICODE"
    assert measure("a" * 65 + "\x1b" + "a" * 5).parts == 2


def test_each_offending_character_is_named_once_with_its_first_position_and_count():
    """A sender must see which character doubled the bill, and what to write instead."""
    segments = measure("It\u2019s o\u2019clock \U0001f600")
    quote, emoji = segments.offending
    assert (quote.character, quote.position, quote.count) == ("\u2019", 2, 2)
    assert quote.name == "RIGHT SINGLE QUOTATION MARK (U+2019)"
    assert quote.suggestion == "'"
    assert (emoji.position, emoji.count, emoji.suggestion) == (13, 1, None)


def test_a_gsm_text_has_no_offending_characters():
    """Extension characters cost double but do not change the encoding."""
    assert measure("price: 5 € {net}").offending == ()


def test_a_lone_surrogate_is_reported_in_a_form_json_can_carry():
    """The answer about a broken text must not be broken itself."""
    (offending,) = measure("a\ud800").offending
    assert (offending.character, offending.name) == ("\ufffd", "U+D800")


def test_a_measured_text_does_not_show_in_logs():
    """Bodies are personal data."""
    assert "secret" not in repr(measure("my secret code"))


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("\u201cHi\u201d \u2013 it\u2019s\u00a0\u2026", '"Hi" - it\'s ...'),
        ("cafe\u0301", "café"),
        ("\ufb01ne\u200b \u2022 1\u20442", "fine * 1/2"),
        ("5 \u212b", "5 Å"),
        ("á ж \U0001f600", "á ж \U0001f600"),
        ("plain", "plain"),
    ],
)
def test_typographic_characters_are_rewritten_and_letters_are_not(text: str, rewritten: str):
    """A hint may change how a text looks, never what it says."""
    assert gsm_rewrite(text) == rewritten


def test_every_suggestion_is_in_the_gsm_alphabet():
    """A suggestion that still forced UCS-2 would help nobody."""
    every_character = "".join(map(chr, (*range(0x20, 0xD800), *range(0xE000, 0x10000))))
    suggestions = [found.suggestion for found in measure(every_character).offending if found.suggestion]
    assert len(suggestions) > 30
    assert all(measure(suggestion).encoding == "GSM" for suggestion in suggestions)


@pytest.mark.parametrize(
    ("body", "code", "position"),
    [
        ("", "body_empty", None),
        (" \n\u00a0", "body_empty", None),
        ("a" * (BODY_MAX_CHARACTERS + 1), "body_too_long", None),
        ("a\x00b", "forbidden_character", 1),
        ("tab\there", "forbidden_character", 3),
        ("\x1b[2J", "forbidden_character", 0),
        ("half \ud83d", "forbidden_character", 5),
        ("\udfff alone", "forbidden_character", 0),
    ],
)
def test_a_body_that_cannot_be_sent_is_refused_with_its_place(body: str, code: str, position: int | None):
    """The sender is told what and where, before anything is held or stored."""
    fault = check_body(body)
    assert fault is not None
    assert (fault.code, fault.position) == (code, position)


@pytest.mark.parametrize("body", ["a", "two\r\nlines", "a" * BODY_MAX_CHARACTERS, "\U0001f600" * 700])
def test_a_body_that_can_be_sent_has_no_fault(body: str):
    """Line ends are text, and length counts characters rather than bytes."""
    assert check_body(body) is None


def test_every_control_character_but_the_line_ends_is_refused():
    """The whole of C0, so that no carrier's special case has to be known."""
    refused = {chr(code) for code in range(32) if check_body(f"a{chr(code)}b") is not None}
    assert refused == {chr(code) for code in range(32)} - {"\n", "\r"}
