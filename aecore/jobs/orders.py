"""What a visitor orders: everything that decides a run's numbers, and nothing else."""

import hashlib
import json
import re
from dataclasses import dataclass

from aecore.data import DATASETS, Images
from aecore.knobs import Value
from aecore.models import blueprint, find
from aecore.refusal import Refused
from aecore.training import Plan

OWN = re.compile(r"own-[0-9a-f]{64}")


@dataclass(frozen=True)
class Order:
    """What to train: ``data`` is a name in ``DATASETS``, or "own-" and the SHA-256 of a visitor's own pictures."""

    variant: str
    knobs: dict[str, Value]
    data: str
    plan: Plan

    def __hash__(self) -> int:
        return hash(self.key)

    def content(self) -> dict[str, object]:
        """All that decides the run, ready for JSON: knobs checked and complete. Refused where one does not fit."""
        knobs = find(self.variant).model.Config.of(**self.knobs).values()
        return {"variant": self.variant, "knobs": knobs, "data": self.data, "plan": self.plan.values()}

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits: the same for the same content, whether a default is spelt out or left out."""
        return hashlib.sha256(json.dumps(self.content(), sort_keys=True).encode()).hexdigest()[:16]

    @property
    def built_in(self) -> bool:
        """Whether a worker has the pictures already."""
        return self.data in DATASETS and DATASETS[self.data].built_in

    @property
    def private(self) -> bool:
        """Whether the pictures are a visitor's own, and nobody else's to see."""
        return self.data.startswith("own-")

    def check(self, data: Images | None) -> None:
        """Refused where the data is unknown or missing, or the model does not fit the pictures."""
        if self.data not in DATASETS and not OWN.fullmatch(self.data):
            raise Refused("There is no data set named {name}. Choose one of: {choices}.", name=self.data[:60], choices=", ".join(DATASETS))
        if data is None and not self.built_in:
            raise Refused("The pictures of this run are no longer here. Choose or upload them again.")
        shape = data.shape if data is not None else DATASETS[self.data].shape
        blueprint(self.variant, shape, **self.knobs)
