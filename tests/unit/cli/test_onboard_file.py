"""The file of `tollgate tenants onboard`: what becomes of its cells, and what is said of bad ones."""

import pytest

from gateway.cli.onboard_file import BadFile, read_rows

HEAD = (
    "slug,name,model,reach.countries,reach.messages_per_month,legal.hosted,senders,"
    "programme.type,programme.sample\n"
)


def test_dotted_columns_become_answers() -> None:
    """Lists, numbers and switches by what the question wants; an empty cell is no answer."""
    [row] = read_rows(HEAD + "acme,Acme,3,US; GB,20000,yes,GB:SENDER_ID:ACME;US:TOLL_FREE,otp,Acme code 1\n")
    assert (row.line, row.slug, row.model) == (2, "acme", 3)
    assert row.answers == {
        "reach": {"countries": ["US", "GB"], "messages_per_month": 20_000},
        "legal": {"hosted": True},
        "senders": {
            "choices": [
                {"country": "GB", "type": "SENDER_ID", "value": "ACME"},
                {"country": "US", "type": "TOLL_FREE"},
            ]
        },
        "use_cases": {"programmes": [{"type": "otp", "samples": ["Acme code 1"]}]},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("slug,name\n", "the header lacks model"),
        (HEAD + "acme,Acme,7,,,,,,\n", "line 2: model is 1 to 6"),
        (HEAD + "acme,,2,,,,,,\n", "line 2: name is empty"),
        (HEAD + "acme,Acme,2,,many,,,,\n", "line 2: reach.messages_per_month is a number"),
        (HEAD + "acme,Acme,2,,,perhaps,,,\n", "line 2: legal.hosted is yes or no"),
        (HEAD + "acme,Acme,2,,,,GB,,\n", "line 2: senders are COUNTRY:TYPE"),
        (HEAD + "a,A,2,,,,,,\na,A,2,,,,,,\n", "line 3: a stands in line 2, too"),
        (HEAD + "a,A,2,,,,,,\nb," + "B" * 131_073 + ",2,,,,,,\n", "line 3 is no CSV: field larger"),
    ],
)
def test_a_bad_file_names_every_line_before_anything_is_made(text: str, said: str) -> None:
    """Half a hundred tenants are harder to take back than none."""
    with pytest.raises(BadFile, match=said):
        read_rows(text)
