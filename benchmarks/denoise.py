"""How much noise the denoiser takes out of photographs and how fast, against filters, BM3D and published networks.

    python benchmarks/denoise.py --photos DIR [--weights FILE] [--sigmas 15 25 50] [--only NAME ...] [--bm3d-pictures N] [--json]

Normal noise of a known standard deviation in grey levels, drawn from the picture's place in DIR as seed, not cut; the output is
cut to [0, 1] and not rounded; PSNR of each picture, then the mean. Ours is blind, with one look or the mean of eight at the picture
turned and mirrored; BM3D and the filters are told the level.
Published lines are for all 68 pictures of CBSD68. Asked for: above BM3D at each level, above 45 dB without noise, and a
megapixel (in one look) at least 5 times as fast as a DnCNN of 20 layers and 64 channels (its cost does not depend on its weights) and 20 times as
BM3D, all in one run. FILE is a .safetensors file or a checkpoint of a run; without it, the weights that come with the project.
BM3D is no part of the project (pip install bm3d; its licence is for research): without it, its rows stay away.
``--only`` takes ours, dncnn, bm3d and the filters' names.
"""

import argparse
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
from machine import describe
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from aecore.denoise import denoise, weights
from aecore.denoise.classic import FILTERS
from aecore.denoise.network import PhotoDenoiser
from aecore.denoise.training import noisy_version, read_photos
from aecore.metrics import psnr
from aecore.training.checkpoint import unpack

PUBLISHED = {
    "CBM3D": {15: 33.52, 25: 30.71, 50: 27.38},
    "DnCNN": {15: 33.90, 25: 31.24, 50: 27.95},
    "FFDNet": {15: 33.87, 25: 31.21, 50: 27.96},
    "DRUNet": {15: 34.30, 25: 31.69, 50: 28.51},
}
"""Sources: Zhang, Zuo and Zhang (2018), https://arxiv.org/abs/1710.04026 (CBM3D, FFDNet); Zhang et al. (2022),
https://arxiv.org/abs/2008.13751 (DnCNN for colour, DRUNet)."""
NETWORKS = ("ours, float32", "ours, bfloat16")
CAREFUL = "ours, eight looks"
ROUNDS = 3  # of timing; each has every method in turn, so that other work on the machine slows all alike
LEAST_SECONDS = 1.0  # that a quick method is timed for in a round
Method = Callable[[Tensor, float], Tensor]  # (3, H, W) in [0, 1] and sigma in the same unit, to (3, H, W)


def trained(path: Path | None) -> tuple[PhotoDenoiser, str]:
    """The denoiser and where it comes from, in words."""
    if path is None or path.suffix == ".safetensors":
        model, card = weights.load(path)
        return model, f"{card.name}, step {card.steps}"
    progress = unpack(path.read_bytes())[2]
    model = PhotoDenoiser()
    model.load_state_dict({name: value.cpu() for name, value in progress.best.items()})
    return model.to(memory_format=torch.channels_last).eval(), f"{path.name}, step {progress.step}"  # type: ignore[call-overload]


def dncnn(layers: int = 20, width: int = 64) -> nn.Sequential:
    """As many 3x3 convolutions as DnCNN for colour has, random weights, normalisation folded into them as it is for use."""
    inner = [module for _ in range(layers - 2) for module in (nn.Conv2d(width, width, 3, padding=1), nn.ReLU())]
    stack = nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), *inner, nn.Conv2d(width, 3, 3, padding=1))
    return stack.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]


def network(model: nn.Module, bfloat16: bool) -> Method:
    """Pictures through ``model``, whole; the noise level is not told."""

    @torch.inference_mode()
    def run(picture: Tensor, sigma: float) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
            return model(picture[None].contiguous(memory_format=torch.channels_last))[0].float()

    return run


def careful(model: PhotoDenoiser) -> Method:
    """The mean of eight looks, as the page and ``python -m aecore denoise --careful`` take it, in one tile."""

    def run(picture: Tensor, sigma: float) -> Tensor:
        clean = denoise(model, picture, tile=10_000, careful=True)
        assert clean is not None
        return clean

    return run


def bm3d() -> Method | None:
    """BM3D for colour as its authors publish it, normal profile; None where it is not installed."""
    try:
        from bm3d import bm3d_rgb  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    return lambda picture, sigma: torch.from_numpy(bm3d_rgb(picture.permute(1, 2, 0).numpy(), sigma)).permute(2, 0, 1).float()


def seconds(method: Method, picture: Tensor, choose: Callable[[list[float]], float] = statistics.median) -> float:
    """The median time (or what ``choose`` takes) of one picture, over ``LEAST_SECONDS``; a slow method runs once."""
    times: list[float] = []
    while sum(times) < LEAST_SECONDS:
        began = time.perf_counter()
        method(picture, 25 / 255)
        times.append(time.perf_counter() - began)
    return choose(times)


def multiplications(model: nn.Module, picture: Tensor) -> float:
    """Multiplications and additions of one picture, in units of 10^9."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(picture[None])
    return counter.get_total_flops() / 1e9


def peak(bfloat16: bool) -> float:
    """The most that the machine reaches in any run of large 3x3 convolutions, in 10^9 multiplications and additions per second."""
    dtype = torch.bfloat16 if bfloat16 else torch.float32
    rates = []
    for width, side in itertools.product((96, 160, 256), (32, 192)):
        layer = nn.Conv2d(width, width, 3, padding=1, bias=False).eval()
        picture = torch.rand(width, side, side)
        method = network(layer.to(dtype, memory_format=torch.channels_last), False)  # type: ignore[call-overload]
        rates.append(multiplications(layer.to(dtype), picture.to(dtype)) / seconds(method, picture.to(dtype), min))
    return max(rates)


def scores(method: Method, photos: Sequence[Tensor], sigma: int) -> list[float]:
    """PSNR in dB of each photograph, after noise and ``method``."""
    figures = []
    for seed, photo in enumerate(photos):
        clean = photo.float() / 255
        figures.append(psnr(method(noisy_version(clean, sigma, seed), sigma / 255).clamp(0, 1), clean))
    return figures


def main() -> None:
    """Print PSNR, then speed, then what is asked for; with ``--json`` one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, metavar="DIR", required=True)
    parser.add_argument("--weights", type=Path, metavar="FILE")
    parser.add_argument("--sigmas", type=int, nargs="+", default=[15, 25, 50])
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=["ours", "dncnn", "bm3d", *FILTERS])
    parser.add_argument(
        "--bm3d-pictures", type=int, metavar="N", help="BM3D on the first N pictures only, since it takes half a minute each"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    photos = read_photos([asked.photos])
    if not photos:
        parser.error(f"There are no pictures in {asked.photos}.")
    model, origin = trained(asked.weights)
    methods: dict[str, Method] = {name: network(model, name.endswith("bfloat16")) for name in NETWORKS}
    methods[CAREFUL] = careful(model)
    if reference := bm3d():
        methods["bm3d"] = reference
    methods |= FILTERS
    stack = dncnn()
    timed = methods | {"dncnn, float32": network(stack, False), "dncnn, bfloat16": network(stack, True)}
    if asked.only:
        methods, timed = ({name: each for name, each in group.items() if name.split(",")[0] in asked.only} for group in (methods, timed))
    machine = describe(0) | {"seed": "the picture's place", "weights": origin, "pictures": str(len(photos))}
    machine["bm3d"] = version("bm3d") if reference else "not installed"
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))

    counts = {name: asked.bm3d_pictures or len(photos) if name == "bm3d" else len(photos) for name in methods}
    columns = "".join(f"{f'sigma {sigma}':>10}" for sigma in asked.sigmas)
    print(f"\nPSNR in dB\n{'':34}{columns}")
    table: dict[str, dict[int, list[float]]] = {}
    table["nothing done"] = {sigma: scores(lambda picture, _: picture, photos, sigma) for sigma in asked.sigmas}
    row("nothing done", table["nothing done"])
    for name, method in methods.items():
        table[name] = {sigma: scores(method, photos[: counts[name]], sigma) for sigma in asked.sigmas}
        row(name if counts[name] == len(photos) else f"{name}, first {counts[name]} pictures", table[name])
    if counts.get("bm3d", len(photos)) < len(photos):
        for name in (each for each in (*NETWORKS, CAREFUL) if each in table):
            row(f"{name}, the same", {sigma: each[: counts["bm3d"]] for sigma, each in table[name].items()})
    for name, figures in PUBLISHED.items():
        print(f"{f'published: {name}':34}" + "".join(f"{figures[sigma]:10.2f}" if sigma in figures else " " * 10 for sigma in asked.sigmas))
    clean = {name: statistics.mean(scores(methods[name], photos, 0)) for name in (*NETWORKS, CAREFUL) if name in methods}
    for name, figure in clean.items():
        print(f"{f'{name}, sigma 0':34}{figure:10.2f}")

    picture = noisy_version(photos[0].float() / 255, 25, 0)
    megapixels = picture.shape[1] * picture.shape[2] / 1e6
    print(f"\nSeconds per megapixel, median of {ROUNDS} rounds, on a picture of {picture.shape[2]} x {picture.shape[1]}")
    rounds = [{name: seconds(method, picture) / megapixels for name, method in timed.items()} for _ in range(ROUNDS)]
    pace = {name: statistics.median(each[name] for each in rounds) for name in timed}
    for name, each in pace.items():
        print(f"{name:34}{each:10.2f}")
    shares = {}
    for name in (each for each in NETWORKS if each in pace):
        rate = multiplications(model, picture) / megapixels / pace[name]
        most = peak(name.endswith("bfloat16"))
        shares[name] = rate / most
        print(f"{name}: {rate:.0f} GFLOP/s, {shares[name]:.0%} of the {most:.0f} that large 3x3 convolutions reach at best")
        for other in (f"dncnn, {name.split(', ')[1]}", "bm3d"):
            if other in pace:
                print(f"{name}: {pace[other] / pace[name]:.1f} times as fast as {other}")
    if asked.json:
        means = {name: {sigma: statistics.mean(each) for sigma, each in figures.items()} for name, figures in table.items()}
        result = {"psnr": means, "psnr_clean": clean, "seconds_per_megapixel": pace, "share_of_peak": shares}
        print(json.dumps({"machine": machine, "counts": counts} | result))


def row(name: str, figures: dict[int, list[float]]) -> None:
    """One line of the table: the mean at each level."""
    print(f"{name:34}" + "".join(f"{statistics.mean(each):10.2f}" for each in figures.values()), flush=True)


if __name__ == "__main__":
    main()
