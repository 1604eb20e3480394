"""How far a denoising autoencoder cleans noisy digits, against filters that know no digits.

    python benchmarks/denoise_digits.py [--tune N] [--dense] [--json]

Gaussian noise of standard deviation 0.5, cut to [0, 1], on all test pictures of the built-in digits, drawn from seed 0. Asked for:
test MSE at most half of the best filter's. Each filter gets the best settings of a grid, chosen on N noisy training pictures.
Because noise is cut at black, it brightens the background, which no filter can know. So a second column gives each filter
the straight line from its brightness to the true one as well, fitted to the same training pictures.
Ours are the shipped weights ``digits-denoising``; ``--dense`` trains the variant as it is set by default, too (30 epochs).
The filters are scikit-image's.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import torch
from machine import describe

import aecore
from aecore import weights
from aecore.corruption import gaussian

LEVEL, SEED, TUNING_SEED = 0.5, 0, 1
ASKED_FOR = ("median", "non-local means", "total variation")
Filter = Callable[..., np.ndarray]


def filters() -> dict[str, tuple[Filter, dict[str, tuple[float, ...]]]]:
    """By name: a function of one picture ``(H, W)`` and its settings, and the values that are tried of each."""
    from scipy.ndimage import gaussian_filter
    from skimage.filters import median
    from skimage.morphology import disk
    from skimage.restoration import denoise_bilateral, denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

    def by_median(x: np.ndarray, radius: float) -> np.ndarray:
        return median(x, disk(int(radius)))

    def by_nl_means(x: np.ndarray, patch: float, h: float, sigma: float) -> np.ndarray:
        return denoise_nl_means(x, patch_size=int(patch), patch_distance=13, h=h, sigma=sigma, fast_mode=True)

    def by_wavelets(x: np.ndarray, sigma: float, hard: float) -> np.ndarray:
        return denoise_wavelet(x, sigma=sigma, mode="hard" if hard else "soft", wavelet="db2", rescale_sigma=False)

    return {
        "median": (by_median, {"radius": (1, 2, 3)}),
        "non-local means": (by_nl_means, {"patch": (3, 5, 7), "h": (0.05, 0.1, 0.15, 0.2, 0.3, 0.45), "sigma": (0, 0.2, 0.35, 0.5)}),
        "total variation": (denoise_tv_chambolle, {"weight": (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6)}),
        "wavelets": (by_wavelets, {"sigma": (0.2, 0.3, 0.4, 0.5, 0.6), "hard": (0, 1)}),
        "bilateral": (denoise_bilateral, {"sigma_color": (0.3, 0.5, 0.8, 1.2, 2.0), "sigma_spatial": (0.7, 1.0, 1.5, 2.0)}),
        "Gaussian blur": (gaussian_filter, {"sigma": (0.6, 0.8, 1.0, 1.2, 1.5, 2.0)}),
    }


def clean(method: Filter, noisy: np.ndarray, settings: dict[str, float]) -> np.ndarray:
    """Pictures ``(N, H, W)``, one by one."""
    return np.stack([method(x, **settings) for x in noisy])


def mse(cleaned: np.ndarray, truth: np.ndarray) -> float:
    """Mean squared error of pictures, cut to [0, 1]."""
    return float(np.square(cleaned.clip(0, 1) - truth).mean())


def pair(pictures: torch.Tensor, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The pictures ``(N, C, H, W)`` as floats, noisy and true."""
    x = pictures.float() / 255
    return gaussian(x, LEVEL, torch.Generator().manual_seed(seed)), x


def tuned(method: Filter, grid: dict[str, tuple[float, ...]], noisy: np.ndarray, truth: np.ndarray) -> dict[bool, dict[str, Any]]:
    """The best settings of the grid and the line (slope, offset) that goes with them: without a line of its own, and with."""
    best: dict[bool, dict[str, Any]] = {}
    for values in itertools.product(*grid.values()):
        settings = dict(zip(grid, values, strict=True))
        cleaned = clean(method, noisy, settings)
        for lined in (False, True):
            line = np.polyfit(cleaned.ravel(), truth.ravel(), 1) if lined else np.array([1.0, 0.0])
            loss = mse(np.polyval(line, cleaned), truth)
            if lined not in best or loss < best[lined]["loss"]:
                best[lined] = {"settings": settings, "line": line, "loss": loss}
    return best


def ours(dense: bool, images: aecore.data.Images, noisy: torch.Tensor, truth: torch.Tensor) -> dict[str, float]:
    """Test MSE of the shipped weights, and of the variant's defaults trained here."""
    models = {"ours, convolutional (shipped)": weights.load("digits-denoising")[0]}
    if dense:
        model = models["ours, dense (trained here)"] = aecore.build("denoising", images.shape, seed=SEED)
        list(aecore.train(model, images, aecore.Plan(seed=SEED), device=torch.device("cpu")))
    with torch.no_grad():
        return {name: (model(noisy) - truth).square().mean().item() for name, model in models.items()}


def main() -> None:
    """Tune each filter, clean the test pictures with all, print the table, and with ``--json`` one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tune", type=int, default=100, help="training pictures on which a filter's settings are chosen")
    parser.add_argument("--dense", action="store_true", help="train the variant's defaults, too")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    import skimage

    images = aecore.data.load("digits")
    noisy, truth = pair(images.test, SEED)
    seen = [each[:, 0].numpy() for each in pair(images.train[: asked.tune], TUNING_SEED)]
    machine = describe(SEED) | {"scikit-image": skimage.__version__}
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    print(f"Gaussian noise of {LEVEL}, {len(truth):,} test digits; settings of the filters chosen on {asked.tune} training digits\n")
    print(f"{'test MSE':32}{'as it is':>10}{'with line':>10}  settings, with line")
    print(f"{'noisy':32}{(noisy - truth).square().mean().item():10.4f}")
    unseen = [each[:, 0].numpy() for each in (noisy, truth)]
    rows: dict[str, list[float]] = {}
    for name, (method, grid) in filters().items():
        best = tuned(method, grid, *seen)
        rows[name] = [mse(np.polyval(each["line"], clean(method, unseen[0], each["settings"])), unseen[1]) for each in best.values()]
        words = ["; ".join(f"{key} {value:g}" for key, value in each["settings"].items()) for each in best.values()]
        print(f"{name:32}{rows[name][0]:10.4f}{rows[name][1]:10.4f}  {' | '.join(words)}", flush=True)
    own = ours(asked.dense, images, noisy, truth)
    for name, value in own.items():
        print(f"{name:32}{value:10.4f}")
    best_filter = [min(rows[name][column] for name in ASKED_FOR) for column in (0, 1)]
    for name, value in own.items():
        print(f"{name}: {value / best_filter[0]:.2f} of the best of {', '.join(ASKED_FOR)}, {value / best_filter[1]:.2f} with its line")
    if asked.json:
        print(json.dumps({"machine": machine, "filters": rows, "ours": own}))


if __name__ == "__main__":
    main()
