"""
What ends a page early. Turned into pages by `gateway.console.faults`.

    PageError
    ├── SignInNeeded     nobody is signed in, or not far enough
    ├── FormRefused      a form that this site did not write, or that is too old
    ├── NoSuchPage
    └── ApiRefused       the API said no, and no field of a form is to blame
"""

from gateway.console.ports import Answer


class PageError(Exception):
    """Every error of the console."""


class SignInNeeded(PageError):
    """Nobody is signed in, or not far enough."""

    def __init__(self, where: str = "/console/sign-in") -> None:
        super().__init__(where)
        self.where = where


class FormRefused(PageError):
    """A form without this browser's token."""


class NoSuchPage(PageError):
    """Nothing is here, or nothing of this person's."""


class ApiRefused(PageError):
    """The API said no."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"the API answered {answer.status}")
        self.answer = answer
