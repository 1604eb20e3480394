"""What all visitors share: weights, data, baselines, and the workers that train."""

from functools import lru_cache
from threading import Lock

import numpy as np
import safetensors.torch
import torch

from aecore import data as data_
from aecore import inspect, weights
from aecore.data import DATASETS, Images, Progress, downloads
from aecore.inspect import Baselines, Probe
from aecore.jobs import Jobs, View, connect
from aecore.jobs.scenes import Scenes
from aecore.knobs import Value
from aecore.metrics import PCA
from aecore.models import Autoencoder, build
from aecore.training import measure
from aecore.weights import Card

_starting = Lock()
_loading = Lock()
_sets: dict[str, Images] = {}
MOST_BYTES = 1_000_000_000  # of training pictures in memory


def warm_up() -> None:
    """Load what the first visitor would wait for, and start the workers."""
    jobs()
    torch.set_num_threads(1)  # pages compute little, and workers want the other cores
    for name in weights.shipped():
        model(name)
    data("digits")


def jobs() -> Jobs:
    """The line of training runs; embedded workers, or those of the scheduler at AECORE_SCHEDULER."""
    with _starting:
        return _jobs()


@lru_cache(maxsize=1)
def _jobs() -> Jobs:
    return connect()


@lru_cache(maxsize=64)
def model(name: str) -> tuple[Autoencoder, Card]:
    """Shipped weights by name, with their card."""
    return weights.load(name)


def trained(view: View, shape: tuple[int, int, int]) -> Autoencoder:
    """The model that a run has learnt so far, for pictures of ``shape``; the run must have weights."""
    return _trained(view.order.variant, tuple(view.order.knobs.items()), shape, view.weights)


@lru_cache(maxsize=16)  # models of up to 120 MB
def _trained(variant: str, knobs: tuple[tuple[str, Value], ...], shape: tuple[int, int, int], tensors: bytes) -> Autoencoder:
    fresh = build(variant, shape, seed=0, **dict(knobs))
    fresh.load_state_dict(safetensors.torch.load(tensors))
    return fresh.eval()


def data(name: str, progress: Progress | None = None) -> Images:
    """A built-in or downloaded set of pictures, or a visitor's own by its "own-" name; Refused where it cannot be had."""
    with _loading:
        found = _sets.pop(name, None)
    if found is None:
        found = data_.load(name, progress)
    _keep(name, found)
    return found


def has(name: str) -> bool:
    """Whether a set of pictures can be had without the internet."""
    return name in _sets or (name in DATASETS and DATASETS[name].built_in) or downloads.stored(name)


def keep_own(pictures: Images) -> str:
    """Keep a visitor's own pictures while there is room; gives the name to find them by."""
    name = f"own-{data_.digest(pictures)}"
    _keep(name, pictures)
    return name


def _keep(name: str, pictures: Images) -> None:
    """Keep the sets used last, within a bound of bytes."""
    with _loading:
        _sets[name] = pictures
        while len(_sets) > 1 and sum(len(each.train) * each.train[0].numel() for each in _sets.values()) > MOST_BYTES:
            _sets.pop(next(iter(_sets)))


@lru_cache(maxsize=64)
def baselines(name: str, code: int, loss: str) -> Baselines:
    """The floor and the PCA line of a data set; a second or less the first time."""
    return inspect.baselines(data(name), code, loss)


@lru_cache(maxsize=16)
def identity_test(model: Autoencoder, name: str) -> dict[str, Probe]:
    """What a trained model makes of pictures of other kinds than those of data set ``name``; another set's, where one fits."""
    own = data(name)
    others = (each for each in DATASETS.values() if each.built_in and each.shape == own.shape and each.classes != own.classes)
    other = next(others, None)
    return inspect.identity_test(model, own, other=data(other.name) if other else None)


@lru_cache(maxsize=16)
def scene(name: str) -> np.ndarray:
    """The eight test pictures ``(8, C, H, W)`` uint8 on which all runs on a data set are shown."""
    return Scenes(data(name), torch.device("cpu")).originals


@lru_cache(maxsize=16)
def judged_pca(name: str, code: int) -> tuple[Autoencoder, dict[str, float]]:
    """PCA of a data set as a linear autoencoder, and its figures on the test pictures."""
    model = inspect.pca_model(data(name), code)
    return model, measure(model, data(name).test) | inspect.judge(model, data(name))


@lru_cache(maxsize=32)
def pca(name: str, code: int) -> PCA:
    """PCA of a data set's training pictures, with ``code`` axes."""
    return PCA.fit(data(name).train[: inspect.MOST_FITTED], code)


def close() -> None:
    """Close the workers, if any were started."""
    if _jobs.cache_info().currsize:
        _jobs().close()
        _jobs.cache_clear()
