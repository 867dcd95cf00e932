"""Every language of the hosted pages says everything, in its own words and with the same places."""

import re

import pytest

from tenants.pages.phrases import PHRASES

PLACE = re.compile(r"\{[a-z]+\}")
SAME_IN_BOTH = {"version", "code", "programme", "paper_name", "paper_date", "paper_signature"}
"""Words that two languages share."""


@pytest.mark.parametrize("language", [each for each in PHRASES if each != "en"])
def test_no_phrase_is_left_in_english_or_without_its_places(language) -> None:
    """A policy that is half in another language is no policy for who reads it."""
    english, said = PHRASES["en"], PHRASES[language]
    assert said.keys() == english.keys()
    alike = {name for name in english if said[name].casefold() == english[name].casefold()}
    assert alike - SAME_IN_BOTH - {"privacy_title"} == set()
    for name, phrase in english.items():
        assert sorted(PLACE.findall(said[name])) == sorted(PLACE.findall(phrase)), name


@pytest.mark.parametrize("language", list(PHRASES))
def test_nobody_is_told_that_data_is_shared(language) -> None:
    """Carriers look for the sentence; each language has all three of its verbs or parts."""
    assert len(PHRASES[language]["no_sharing"]) > 150
