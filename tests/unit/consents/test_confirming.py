"""What counts as a yes, and what a phone is asked."""

import pytest

from tenants.consents.confirming import confirmation_text, is_yes


@pytest.mark.parametrize(
    ("body", "languages"),
    [
        ("YES", ()),
        (" yes! ", ("de",)),
        ("Ja.", ("de",)),
        ("sí", ("es",)),
        ("Oui", ("fr", "nl")),
        ("はい", ("ja",)),
        ("हाँ", ("hi",)),
    ],
)
def test_a_yes_counts_in_the_languages_of_the_country(body, languages) -> None:
    """People answer as they speak."""
    assert is_yes(body, languages)


@pytest.mark.parametrize("body", ["", "No", "yes but not now", "yesterday", "ja", "Y E S S", "STOP"])
def test_anything_but_a_whole_yes_is_none(body) -> None:
    """A consent that has to be guessed is none."""
    assert not is_yes(body, ("es",))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("YES", "STOP", "HELP", "Msg & data rates may apply", "frequency")),
        ("de", ("JA", "STOPP", "HILFE", "Kosten")),
        ("es", ("SI", "ALTO", "AYUDA", "tarifas")),
        ("fr", ("OUI", "STOP", "AIDE", "frais")),
        ("xx", ("YES", "STOP")),
    ],
)
def test_the_text_names_brand_programme_and_the_ways_out(language, words) -> None:
    """CONFIRM texts carry the disclosures of the opt-in."""
    text = confirmation_text(language, brand="Acme", programme="Offers", link="https://x.example/p")
    assert text.startswith("Acme: ")
    for word in ("Offers", "https://x.example/p", *words):
        assert word in text
