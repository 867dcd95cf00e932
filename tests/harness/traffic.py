"""
Traffic by number: people's and pumpers', seeded, as lists of E.164 numbers in the order of sending.

People's numbers lie where carriers hand them out: a country has ranges, a range has blocks of a thousand, and
within a block anybody may have any number.
"""

import random
from collections.abc import Iterator, Sequence

Traffic = list[str]
BLOCK = 1000


def burst(first: int = 9_647_701_234_000, count: int = 10_000) -> Traffic:
    """Return a pumper's run: number after number."""
    return [f"+{first + each}" for each in range(count)]


def in_rotation(prefixes: Sequence[int], count: int, *, rng: random.Random | None = None) -> Traffic:
    """
    Return a pumper's run over several blocks in turn, each used up in order; shuffled within it with `rng`.

    Args:
        prefixes: Digits of blocks, that is without the last three.
    """
    places = {prefix: list(range(BLOCK)) for prefix in prefixes}
    if rng is not None:
        for each in places.values():
            rng.shuffle(each)
    turns = ((prefix, turn) for turn in range(BLOCK) for prefix in prefixes)
    return [f"+{prefix}{places[prefix][turn]:03d}" for prefix, turn in list(turns)[:count]]


def people(rng: random.Random, count: int, *, areas: int = 300, dense: float = 1.0) -> Traffic:
    """
    Return one-time passwords for people all over the United States, some areas much fuller than others.

    Args:
        areas: Area codes in use; each has up to 7,900 blocks.
        dense: How much the fullest areas stand out; 0 for all alike.
    """
    codes = [200 + each for each in range(areas)]
    weights = [1 / (rank + 1) ** dense for rank in range(areas)]
    chosen = rng.choices(codes, weights, k=count)
    return [f"+1{area}{rng.randrange(200, 999)}{rng.randrange(10_000):04d}" for area in chosen]


def few_prefixes(rng: random.Random, count: int, *, blocks: int = 40) -> Traffic:
    """Return a big tenant in one small country, all of whose customers have numbers of a few blocks."""
    first = [35_699_000 + each for each in range(blocks)]
    weights = [rng.uniform(0.5, 1.5) for _ in first]
    return [f"+{prefix}{rng.randrange(BLOCK):03d}" for prefix in rng.choices(first, weights, k=count)]


def one_area(rng: random.Random, count: int) -> Traffic:
    """Return a batch to the customers of one town: distinct numbers of 60 blocks, in no order."""
    numbers = [f"+1206{550 + exchange}{line:04d}" for exchange in range(6) for line in range(10_000)]
    return rng.sample(numbers, count)


def with_retries(rng: random.Random, traffic: Traffic, *, users: int = 20, tries: int = 9) -> Traffic:
    """Return the traffic with people in it who press "send again" every few messages."""
    result = list(traffic)
    for number in rng.sample(traffic, users):
        at = rng.randrange(len(result) - tries * 4)
        for again in range(tries):
            result.insert(at + again * 4, number)
    return result[: len(traffic)]


def mixed(rng: random.Random, ordinary: Traffic, attack: Traffic) -> Iterator[tuple[str, bool]]:
    """Yield both in one line, each in its own order, with whether it is the attack's."""
    turns = [False] * len(ordinary) + [True] * len(attack)
    rng.shuffle(turns)
    sources = {False: iter(ordinary), True: iter(attack)}
    for is_attack in turns:
        yield next(sources[is_attack]), is_attack
