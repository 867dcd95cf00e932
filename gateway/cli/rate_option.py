"""A rate on the command line: what the API would refuse, and what JSON cannot say, is refused at once."""

import click

from tenants.errors import InvalidInput
from tenants.rates import check_rate


def rate(text: str) -> float:
    """
    Return message parts per second; the `type` of options that take them.

    Raises:
        click.BadParameter: It is no number, or out of the bounds of `tenants.rates`.
    """
    try:
        value = float(text)
        check_rate("", value)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not a number") from error
    except InvalidInput as error:
        raise click.BadParameter(error.detail) from error
    return value
