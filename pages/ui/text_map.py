"""The map of words, as its component draws it: as many names as there is room for, the others where it is pointed at."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from pages.ui import figures

LONGEST = 30  # characters of a name
FINE = 4  # digits of a place that a screen can show


def data(points: np.ndarray, names: Sequence[str], kinds: Sequence[str], marked: str, summary: str) -> dict[str, Any]:
    """What the browser needs to draw words at ``points`` ``(N, 2 or 3)``, each of a kind; the ``marked`` word is larger.

    They are named in this order where there is room: the marked one, then the first of each kind, then the second.
    """
    every = list(dict.fromkeys(kinds))
    by_kind = [[row for row, each in enumerate(kinds) if each == kind] for kind in every]
    order = [row for turn in zip_longest(*by_kind) for row in turn if row is not None]
    place = names.index(marked) if marked in names else -1
    middle = (points.max(0) + points.min(0)) / 2
    return {
        "points": [[float(f"{value:.{FINE}g}") for value in point] for point in (points - middle).tolist()],
        "dims": points.shape[1],
        "words": [each if len(each) <= LONGEST else f"{each[: LONGEST - 1]}…" for each in names],
        "kinds": every,
        "kind": [every.index(each) for each in kinds],
        "order": sorted(order, key=lambda row: row != place),
        "marked": place,
        "colours": list(figures.SERIES),
        "summary": summary,
    }
