"""
What ends a page early. Turned into pages by `gateway.console.faults`.

    PageError
    ├── SignInNeeded     nobody is signed in, or not far enough
    ├── FormRefused      a form that this site did not write, or that is too old
    ├── HandedBack       a form whose session has ended; its page holds what was written
    ├── NoSuchPage
    └── ApiRefused       the API said no, and no field of a form is to blame
"""

from litestar import Response

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


class HandedBack(PageError):
    """A form that was written in a session that is over."""

    def __init__(self, page: Response[str]) -> None:
        super().__init__("the session has ended")
        self.page = page


class NoSuchPage(PageError):
    """Nothing is here, or nothing of this person's."""


class ApiRefused(PageError):
    """The API said no."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"the API answered {answer.status}")
        self.answer = answer
