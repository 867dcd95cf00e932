"""Rules of signing in: brakes, passwords, and codes that work once."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from pyotp.totp import TOTP

from tenants.errors import InvalidInput
from tenants.people import brakes, passwords, second_factor

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_few_failures_are_free_and_then_each_costs_a_wait() -> None:
    """People mistype."""
    free = brakes.PAIR.free
    assert brakes.wait_until(brakes.PAIR, failures=free - 1, failed_at=NOW) is None
    assert brakes.wait_until(brakes.PAIR, failures=free, failed_at=NOW) == NOW + brakes.PAIR.wait


def test_strangers_cannot_lock_an_owner_out_for_long() -> None:
    """The counter that everybody's guesses share waits a minute at the most."""
    assert brakes.ADDRESS.wait <= timedelta(minutes=1)
    assert brakes.ADDRESS.free > brakes.PAIR.free


def test_old_failures_are_forgotten() -> None:
    """A bad day ends."""
    later = NOW + brakes.FORGOTTEN_AFTER
    assert brakes.failures_now(9, NOW, later) == 9
    assert brakes.failures_now(9, NOW, later + timedelta(seconds=1)) == 0


@pytest.mark.parametrize(
    "password", ["eleven char", "x" * 201, "aaaabbbbaaaabbbb", "Password1234", "ann.archer@acme"]
)
def test_what_is_guessed_first_is_refused(password: str) -> None:
    """Short, endless, of two letters, from a list, or the address itself."""
    with pytest.raises(InvalidInput):
        passwords.check_password(password, email="ann.archer@acme.example")


def test_a_long_password_is_taken_and_found_again_in_another_spelling() -> None:
    """Keyboards write one letter in several ways."""
    passwords.check_password("four gr\u00fcne elephants", email="ann@acme.example")
    stored = passwords.hash_password("gr\u00fcne elephants")
    assert passwords.is_password(stored, "gru\u0308ne elephants")
    assert not passwords.is_password(stored, "grune elephants")
    assert not passwords.is_password(None, "anything at all")


def test_an_unknown_address_is_compared_as_long_as_a_known_one() -> None:
    """Else the time of an answer would say who has an account; far apart, so that no machine is too busy."""
    stored = passwords.hash_password("a password that nobody guesses")

    def cpu_s(known: str | None) -> float:
        begun = time.process_time()
        passwords.is_password(known, "another one")
        return time.process_time() - begun

    assert cpu_s(None) > cpu_s(stored) / 4


def test_a_code_works_once_and_a_step_to_either_side() -> None:
    """Clocks differ; shoulders are looked over."""
    secret = second_factor.new_secret()
    for seconds in (-30, 0, 30):
        code = TOTP(secret).at(NOW + timedelta(seconds=seconds))
        step = second_factor.matching_step(secret, code, last_step=0, now=NOW)
        assert step is not None
        assert second_factor.matching_step(secret, code, last_step=step, now=NOW) is None
    far = TOTP(secret).at(NOW + timedelta(seconds=90))
    assert second_factor.matching_step(secret, far, last_step=0, now=NOW) is None
    assert (
        second_factor.matching_step(secret, "\u0661\u0662\u0663\u0664\u0665\u0666", last_step=0, now=NOW)
        is None
    )


def test_a_recovery_code_is_known_however_it_is_typed() -> None:
    """From paper."""
    code = second_factor.new_recovery_codes()[0]
    typed = code.lower().replace("-", " ")
    assert second_factor.recovery_hash(b"p", typed) == second_factor.recovery_hash(b"p", code)
