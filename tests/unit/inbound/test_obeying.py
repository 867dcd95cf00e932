"""What a text changes and who answers it, for each of the three that may keep a number's opt-outs."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.inbound.obeying import AWS_LETS_GO, MOST_AN_HOUR, ONE_A, Situation, obey
from tenants.ids import new_uuid
from tenants.keywords.matching import OwnKeyword, matched
from tenants.keywords.words import languages_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OWN = OwnKeyword(id=new_uuid(), word="PIZZA", folded="pizza", reply="We have pizza.")
NEWS = OwnKeyword(id=new_uuid(), word="NONEWS", folded="nonews", action="opt_out", list_name="news")
OUR_HELP = "Acme: automated text messages. Msg & data rates may apply. Text STOP to cancel."


def obeyed(body, **changes):
    """What is done with a text to a self-managed number of a tenant."""
    match = matched(body, languages=languages_of("US"), country="US", own=[OWN, NEWS])
    fields = {
        "match": match,
        "body": body,
        "mode": "self_managed",
        "stop_scope": "everything",
        "message_types": frozenset(),
        "standing": {},
        "answerable": True,
        "our_texts": [OUR_HELP],
        "last_reply_at": None,
        "replies_this_hour": 0,
        "now": NOW,
    }
    return obey(Situation(**(fields | changes)))


def test_a_stop_puts_on_the_list_of_everything_and_is_confirmed():
    """The usual case."""
    done = obeyed("Stop")
    assert (done.put, done.take, done.reply, done.reply_at) == (("all",), (), "stop", NOW)


def test_a_second_stop_is_not_confirmed_again():
    """Exactly one last message."""
    done = obeyed("STOP", standing={"all": "keyword"})
    assert (done.put, done.reply, done.answerer) == ((), None, "none")


def test_a_text_without_a_keyword_changes_and_answers_nothing():
    """It is the tenant's to read."""
    done = obeyed("What do you mean?")
    assert (done.action, done.put, done.reply) == (None, (), None)


def test_a_stop_to_a_number_of_one_use_case_stops_that_alone():
    """A marketing STOP must not lock people out of their accounts."""
    done = obeyed("STOP", stop_scope="use_case", message_types=frozenset({"promotional"}))
    assert done.put == ("promotional",)
    assert obeyed("STOP ALL", stop_scope="use_case", message_types=frozenset({"promotional"})).put == ("all",)
    assert obeyed("STOP", stop_scope="use_case").put == ("all",)


def test_a_join_restores_what_a_stop_there_took():
    """And nothing of another number's."""
    done = obeyed("JOIN", standing={"all": "keyword", "news": "api"})
    assert (done.take, done.put, done.reply) == (("all",), (), "join")


def test_who_stopped_everything_and_joins_one_use_case_still_wants_nothing_of_the_others():
    """`all` makes room for the lists of the other types."""
    done = obeyed(
        "JOIN",
        standing={"all": "keyword"},
        stop_scope="use_case",
        message_types=frozenset({"promotional"}),
    )
    assert (done.take, done.put) == (("all",), ("otp", "transactional"))


def test_a_keyword_of_the_tenants_may_keep_a_list_of_its_own():
    """Topics are the tenant's."""
    done = obeyed("no news")
    assert (done.put, done.reply) == (("news",), "stop")


@pytest.mark.parametrize("standing", [{}, {"all": "keyword"}])
def test_help_is_answered_whatever_the_person_has_opted_out_of(standing):
    """Who cannot get help cannot find out how to be left alone."""
    assert obeyed("HELP", standing=standing).reply == "help"


@pytest.mark.parametrize("word", ["STOP", "arret", "Cancel", "opt-out", "TD"])
def test_aws_answers_its_own_words_on_a_managed_number(word):
    """Two confirmations would be one too many; the opt-out counts all the same."""
    done = obeyed(word, mode="managed")
    assert (done.put, done.reply, done.answerer) == (("all",), None, "by_aws")


@pytest.mark.parametrize(("word", "reply"), [("alto", "stop"), ("revoke", "stop"), ("ayuda", "help")])
def test_what_aws_does_not_know_is_answered_here(word, reply):
    """AWS lets a Spanish STOP pass as any text."""
    assert obeyed(word, mode="managed").reply == reply


def test_aws_answers_help_on_a_managed_number():
    """With its own text."""
    assert obeyed("help", mode="managed").answerer == "by_aws"


def test_a_join_on_a_managed_number_is_answered_when_aws_has_let_go():
    """AWS refuses what goes to a number on its list, the confirmation too."""
    done = obeyed("JOIN", mode="managed", standing={"all": "keyword"})
    assert done.reply_at == NOW + AWS_LETS_GO


def test_the_network_answers_stop_on_a_toll_free_number():
    """And only that word; the source says who did it."""
    done = obeyed("Stop it", mode="carrier")
    assert (done.put, done.by_network, done.answerer) == (("all",), True, "by_carrier")
    other = obeyed("cancel", mode="carrier")
    assert (other.put, other.by_network, other.reply) == (("all",), False, "stop")


@pytest.mark.parametrize("word", ["START", "unstop"])
def test_the_network_lets_go_at_its_own_words(word):
    """Whatever else the person may have tried."""
    done = obeyed(word, mode="carrier", standing={"all": "carrier"})
    assert (done.take, done.by_network, done.reply) == (("all",), True, None)


def test_a_join_does_not_lift_the_networks_block():
    """The gateway would send into the void and be paid for it."""
    done = obeyed("JOIN", mode="carrier", standing={"all": "carrier"})
    assert (done.take, done.answerer) == ((), "withheld")
    assert obeyed("JOIN", mode="carrier", standing={"all": "api"}).take == ("all",)


def test_a_phone_gets_one_automatic_reply_a_minute():
    """Two machines that answer each other would otherwise do so for ever."""
    recent = NOW - timedelta(seconds=20)
    assert obeyed("HELP", last_reply_at=recent).answerer == "withheld"
    assert obeyed("pizza", last_reply_at=recent).answerer == "withheld"
    assert obeyed("HELP", last_reply_at=NOW - ONE_A).reply == "help"


def test_a_confirmation_waits_its_minute_instead_of_failing():
    """Whoever asks for help and then says STOP has a right to both answers."""
    recent = NOW - timedelta(seconds=20)
    assert obeyed("STOP", last_reply_at=recent).reply_at == recent + ONE_A
    assert obeyed("JOIN", standing={"all": "api"}, last_reply_at=recent).reply_at == recent + ONE_A


def test_after_many_replies_within_an_hour_only_a_stop_is_confirmed():
    """The other side is a machine by then."""
    assert obeyed("HELP", replies_this_hour=MOST_AN_HOUR).answerer == "withheld"
    assert obeyed("STOP", replies_this_hour=MOST_AN_HOUR).reply == "stop"


def test_what_no_person_wrote_is_obeyed_and_not_answered():
    """Another short code, or a number of the tenant's own."""
    done = obeyed("STOP", answerable=False)
    assert (done.put, done.reply, done.answerer) == (("all",), None, "withheld")


@pytest.mark.parametrize(
    ("carried", "agreed"),
    [((), ("otp", "promotional", "transactional")), (("promotional",), ("promotional",))],
)
def test_a_join_agrees_to_what_the_number_carries(carried, agreed):
    """Nobody who joins a club has agreed to anything else."""
    assert obeyed("JOIN", message_types=frozenset(carried)).agreed == agreed


def test_a_join_does_not_agree_to_what_a_list_still_stops():
    """A consent beside an opt-out of the same type would be read as one by whoever counts consents."""
    promotions = {"message_types": frozenset({"promotional"}), "stop_scope": "use_case"}
    assert obeyed("JOIN", standing={"all": "keyword"}, **promotions).agreed == ("promotional",)
    assert obeyed("JOIN", mode="carrier", standing={"all": "carrier"}).agreed == ()


def test_a_topic_is_no_message_type():
    """The tenant's own lists say nothing about what may be sold."""
    club = OwnKeyword(id=new_uuid(), word="CLUB", folded="club", action="opt_in", list_name="club")
    offers = OwnKeyword(id=new_uuid(), word="WIN", folded="win", action="opt_in", list_name="promotional")
    for own, agreed in ((club, ()), (offers, ("promotional",))):
        match = matched(own.word, languages=("en",), country="US", own=[own])
        assert obeyed(own.word, match=match).agreed == agreed


@pytest.mark.parametrize("changes", [{"answerable": False}, {"our_texts": ["Acme: text JOIN to get offers"]}])
def test_a_machine_agrees_to_nothing(changes):
    """Another short code, or a mail gateway that sends every text back."""
    assert obeyed("JOIN > Acme: text JOIN to get offers", **changes).agreed == ()


def test_a_text_that_quotes_our_reply_is_not_answered():
    """A mail gateway that sends every text back would be answered for ever."""
    done = obeyed(f"HELP > {OUR_HELP.upper()}")
    assert (done.action, done.answerer) == ("help", "withheld")
