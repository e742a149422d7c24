"""Processes do at the same step what only one of them wants, and ask each other seldom."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sift_toolkit.container._agreement import Agreement


class Asked:
    """Two processes in one: what the other one says is known beforehand."""

    def __init__(self, size: int = 2) -> None:
        self.size = size
        self.others = [0, 0]
        self.times = 0

    def greatest(self, numbers: list[int]) -> list[int]:
        """Return the greater of each number."""
        self.times += 1
        return [max(pair) for pair in zip(numbers, self.others, strict=True)]


def ticking(seconds: float) -> Iterator[float]:
    """Yield the time of a clock that is looked at once a step."""
    now = 0.0
    while True:
        yield now
        now += seconds


def test_alone_a_wish_is_granted() -> None:
    """At once, and nobody is asked."""
    asked = Asked(size=1)
    assert [Agreement(asked).of(wish) for wish in (0, 2, 1)] == [0, 2, 1]
    assert asked.times == 0


def test_the_greatest_wish_counts() -> None:
    """One process wants more than the other: both do it."""
    asked = Asked()
    agreement = Agreement(asked)
    asked.others[0] = 2
    assert agreement.of(1) == 2


def test_quick_steps_are_seldom_interrupted() -> None:
    """All are asked every so many steps, and a wish waits until then."""
    asked = Asked()
    clock = 0.0
    agreement = Agreement(asked, lambda: clock)
    granted = []
    for _ in range(301):
        clock += 0.01
        granted.append(agreement.of(1))

    # Once at the first step, then every half second.
    assert asked.times == 7
    assert sum(granted) == 7


def test_slow_steps_are_all_asked() -> None:
    """No step of seconds is waited for in vain."""
    asked = Asked()
    clock = ticking(2.0)
    agreement = Agreement(asked, lambda: next(clock))
    assert [agreement.of(1) for _ in range(5)] == [1] * 5


def test_the_slowest_asks_most_often() -> None:
    """However quick this process is, the others decide with it when to ask again."""
    asked = Asked()
    clock = ticking(0.0)
    agreement = Agreement(asked, lambda: next(clock))
    asked.others[1] = 99
    for _ in range(5):
        agreement.of(0)
    assert asked.times == 5


@pytest.mark.parametrize("quickness", [0.0, 1e-6])
def test_no_step_is_too_quick(quickness: float) -> None:
    """A hundred steps are the most between two questions."""
    asked = Asked()
    clock = ticking(quickness)
    agreement = Agreement(asked, lambda: next(clock))
    for _ in range(201):
        agreement.of(0)
    assert asked.times == 3
