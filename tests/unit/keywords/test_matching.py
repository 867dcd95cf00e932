"""Which keyword a text begins with: a corpus of what people write, and the rules that no tenant may bend."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.ids import new_uuid
from tenants.keywords.folding import squeezed
from tenants.keywords.matching import OwnKeyword, hides_built_in, matched
from tenants.keywords.words import STOP_WORDS, WORDS, languages_of

CORPUS = list(csv.DictReader(Path(__file__).with_name("corpus.csv").read_text(encoding="utf-8").splitlines()))
LEAST_LANGUAGES = 15


def own(word: str, *, country: str = "", action: str = "reply") -> OwnKeyword:
    """A keyword of the tenant's, whatever the rules of creating one say."""
    return OwnKeyword(
        id=new_uuid(), word=word, folded=squeezed(word), country=country, action=action, reply="Hi"
    )


def read(text: str, country: str, *keywords: OwnKeyword):
    """What a text does that comes from a phone of a country."""
    return matched(text, languages=languages_of(country), country=country, own=keywords)


@pytest.mark.parametrize("row", CORPUS, ids=lambda row: f"{row['country']}:{row['text']}")
def test_what_people_write_means_what_they_mean(row):
    """Case, blanks, punctuation, accents and width are no reason to go on texting somebody."""
    found = read(row["text"], row["country"])
    assert (None if found is None else found.action) == (row["action"] or None)


def test_the_corpus_speaks_many_languages():
    """A list that nobody wrote to in its own language proves nothing about it."""
    spoken = {row["language"] for row in CORPUS if row["action"] == "opt_out"}
    assert len(spoken) >= LEAST_LANGUAGES


@pytest.mark.parametrize("language", sorted(STOP_WORDS))
def test_every_stop_word_stops_where_it_is_spoken(language):
    """As it is listed, in lower case, and with more behind it."""
    for word in STOP_WORDS[language]:
        for text in (word, word.lower(), f" {word}! ", f"{word} 123"):
            found = matched(text, languages=(language, "en"), country=None)
            assert found is not None, text
            assert found.action == "opt_out", text


@given(st.sampled_from([word for words in STOP_WORDS.values() for word in words]), st.text(max_size=20))
def test_no_keyword_of_a_tenant_stands_before_a_stop(stop, rest):
    """Whatever it is called and however it came to be stored, STOP wins."""
    text = f"{stop} {rest}"
    language = next(each for each, words in STOP_WORDS.items() if stop in words)
    found = matched(text, languages=(language,), country=None, own=[own(text), own(stop)])
    assert found is not None
    assert (found.action, found.own) == ("opt_out", None)


@given(st.sampled_from([word for words in STOP_WORDS.values() for word in words]), st.text(max_size=20))
def test_a_word_that_begins_with_a_stop_is_reserved(stop, rest):
    """In every language, with anything behind it."""
    assert hides_built_in(f"{stop} {rest}") is not None


@pytest.mark.parametrize(
    "word", [word for kind in WORDS.values() for words in kind.values() for word in words]
)
def test_every_built_in_word_is_reserved(word):
    """Nobody sells anything under a word that people trust."""
    assert hides_built_in(word.lower()) is not None


@pytest.mark.parametrize("word", ["PIZZA", "HELP BILLING", "JOIN VIP", "STOPWATCH", "Ende", "ALTOONA", "7"])
def test_other_words_are_free(word):
    """A rule that refused all of them would also pass the tests above."""
    assert hides_built_in(word) is None


def test_the_longest_keyword_of_a_tenant_wins_and_its_country_counts():
    """PIZZA MENU is more than PIZZA, and a keyword of Canada says nothing to a phone of the United States."""
    pizza, menu, canadian = own("pizza"), own("Pizza-Menu"), own("pizza", country="CA")
    assert read("PIZZA menu, please", "US", pizza, menu, canadian).own is menu
    assert read("pizza", "US", canadian) is None
    assert read("pizza", "CA", pizza, canadian).own is canadian


def test_a_longer_keyword_of_a_tenant_stands_before_help():
    """HELP BILLING is a question of its own; HELP alone stays HELP."""
    billing = own("help billing")
    assert read("Help billing?", "US", billing).own is billing
    assert read("help bill", "US", billing).built_in == "HELP"


def test_a_person_who_writes_in_spanish_is_answered_in_spanish():
    """Wherever the phone is registered."""
    assert read("AYUDA", "US").language == "es"
