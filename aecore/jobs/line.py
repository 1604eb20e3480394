"""The fair line: who is served next. Plain data, so that it can be tried without a cluster."""

from collections.abc import Collection, Mapping, Sequence


def order_of_service(
    waiting: Sequence[tuple[str, Collection[str]]], running: Collection[Collection[str]], served: Mapping[str, float]
) -> list[str]:
    """The runs of ``waiting`` in the order in which they will be served.

    ``waiting`` holds runs and their visitors in order of arrival, ``running`` the visitors of each run in progress,
    ``served`` when a visitor's last run began. In each round every visitor gets one run: first those with none in
    progress, and among them those who have waited longest for a turn. A shared run goes with its luckiest visitor.
    """
    turns: dict[str, int] = {}
    for visitors in running:
        for visitor in visitors:
            turns[visitor] = turns.get(visitor, 0) + 1
    left = list(waiting)
    result: list[str] = []
    while left:
        chosen = min(left, key=lambda entry: min(((turns.get(v, 0), served.get(v, 0.0)) for v in entry[1]), default=(0, 0.0)))
        left.remove(chosen)
        result.append(chosen[0])
        for visitor in chosen[1]:
            turns[visitor] = turns.get(visitor, 0) + 1
    return result


def may_start(visitors: Collection[str], running: Collection[Collection[str]]) -> bool:
    """Whether one of ``visitors`` has no run in progress; so does a run whose visitors have all become onlookers."""
    busy = {visitor for each in running for visitor in each}
    return not visitors or any(visitor not in busy for visitor in visitors)
