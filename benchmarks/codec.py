"""How many bits the photo codec takes for a quality, and how fast, against the formats that Pillow writes and published codecs.

    python benchmarks/codec.py --photos DIR [--weights FILE] [--qualities Q ...] [--only NAME ...] [--threads N] [--json]

Bits per pixel are from whole files, PSNR and MS-SSIM from 8-bit pictures, each the mean over the pictures of DIR; BD-rate is against
JPEG with optimised Huffman tables, over the PSNR that both reach. Published lines are for all 24 Kodak pictures. Asked for: at
most -25 % against JPEG, estimated and real size within 1 %, a picture of 768 x 512 written and read in less than a second, and
faster than a factorised prior of CompressAI, quality 3, in the same run (untrained: it costs the same). That package is no part
of the project (pip install compressai); without it, its row stays away.
"""

import argparse
import importlib
import io
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import PIL
import torch
from machine import describe
from PIL import Image, features
from torch import Tensor

from aecore.codec.rivals import PUBLISHED
from aecore.codec.scores import bd_rate, ms_ssim
from aecore.codec.weights import load
from aecore.denoise.training import read_photos
from aecore.metrics import psnr

QUALITIES = (0, 15, 30, 45, 60, 75, 90, 100)
PILLOW: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "JPEG": ("JPEG", [{"quality": each, "optimize": True} for each in (5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 88, 93)]),
    "WebP": ("WEBP", [{"quality": each, "method": 6} for each in (1, 10, 20, 35, 50, 65, 75, 85, 92)]),
    "AVIF": ("AVIF", [{"quality": each} for each in (10, 20, 30, 40, 50, 60, 70, 80)]),
    "JPEG 2000": (
        "JPEG2000",
        [{"quality_mode": "rates", "quality_layers": [each], "irreversible": True} for each in (200, 120, 80, 48, 32, 24, 16, 12, 8)],
    ),
}
ROUNDS = 5
Codec = Callable[[Tensor], tuple[int, Tensor]]  # uint8 (3, H, W) to bytes and the picture that comes back


def pillow(kind: str, options: dict[str, Any]) -> Codec:
    """One of Pillow's formats."""

    def run(photo: Tensor) -> tuple[int, Tensor]:
        file = io.BytesIO()
        Image.fromarray(photo.permute(1, 2, 0).numpy()).save(file, kind, **options)
        with Image.open(file) as image:
            pixels = torch.frombuffer(bytearray(image.convert("RGB").tobytes()), dtype=torch.uint8)
        return len(file.getvalue()), pixels.view(*photo.shape[1:], 3).permute(2, 0, 1)

    return run


def point(codec: Codec, photos: list[Tensor]) -> tuple[float, float, float]:
    """Bits per pixel, PSNR and MS-SSIM, each the mean over photographs."""
    figures = []
    for photo in photos:
        size, back = codec(photo)
        before, after = photo.float() / 255, back.float() / 255
        figures.append((8 * size / photo[0].numel(), psnr(after, before), ms_ssim(after, before)))
    rate, score, alike = (statistics.mean(each) for each in zip(*figures, strict=True))
    return rate, score, alike


def compressai() -> Codec | None:
    """CompressAI's factorised prior of quality 3; None where it is not installed."""
    try:
        model = importlib.import_module("compressai.zoo").bmshj2018_factorized(quality=3, pretrained=False).eval()
    except ImportError:
        return None
    model.update(force=True)

    @torch.inference_mode()
    def run(photo: Tensor) -> tuple[int, Tensor]:
        written = model.compress(photo[None].float() / 255)
        back = model.decompress(written["strings"], written["shape"])["x_hat"][0]
        return sum(len(each[0]) for each in written["strings"]), (back.clamp(0, 1) * 255).round().to(torch.uint8)

    return run


def main() -> None:
    """Print curves, then BD-rates, then size against promise, then speed; with ``--json`` one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", "--data", type=Path, metavar="DIR", required=True)
    parser.add_argument("--weights", type=Path, metavar="FILE")
    parser.add_argument("--qualities", type=int, nargs="+", default=QUALITIES)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=["ours", *PILLOW])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    photos = read_photos([asked.photos])
    if not photos:
        parser.error(f"There are no pictures in {asked.photos}.")
    encoder, decoder, card = load(asked.weights)
    promises: list[float] = []

    def ours(quality: int) -> Codec:
        def run(photo: Tensor) -> tuple[int, Tensor]:
            written = encoder.write(photo.float() / 255, quality)
            assert written is not None
            back = decoder.read(written[0])
            assert back is not None
            promises.append(len(written[0]) - written[1] / 8 * 1.01)
            return len(written[0]), back

        return run

    codecs = {"ours": [ours(each) for each in asked.qualities]}
    codecs |= {name: [pillow(kind, options) for options in settings] for name, (kind, settings) in PILLOW.items()}
    machine = describe(0) | {"pillow": PIL.__version__, "weights": f"{card.name}, step {card.steps}", "pictures": str(len(photos))}
    machine |= {name: str(features.version(name)) for name in ("jpg", "webp", "avif", "jpg_2000")}
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))

    print("\nBits per pixel / PSNR in dB / MS-SSIM")
    curves = {}
    for name, settings in codecs.items():
        if not asked.only or name in (*asked.only, "JPEG", "ours"):
            curves[name] = [point(codec, photos) for codec in settings]
            print(f"{name:12}" + "  ".join(f"{rate:.3f}/{score:.2f}/{alike:.4f}" for rate, score, alike in curves[name]), flush=True)
    plain = {name: [(rate, score) for rate, score, _ in curve] for name, curve in curves.items()}
    rates = {name: bd_rate(plain["JPEG"], curve) for name, curve in plain.items()}
    print("\nBD-rate against JPEG in %")
    for name, rate in rates.items():
        print(f"{name:28}{rate:8.1f}")
    for name, curve in PUBLISHED.items():
        print(f"{f'published: {name}':28}{bd_rate(PUBLISHED['JPEG'], curve):8.1f}")
    against = {name: bd_rate(curve, plain["ours"]) for name, curve in plain.items() if name != "ours"}
    print("ours against: " + ", ".join(f"{name} {rate:.1f} %" for name, rate in against.items()))
    print(f"largest file beyond its promise and 1 %: {max(promises):.0f} bytes (at most 40 are the header's)")

    timed = {"ours": ours(50)}
    if reference := compressai():
        timed["compressai"] = reference
    runs: dict[str, list[float]] = {name: [] for name in timed}
    for photo in photos[:1] + photos * (ROUNDS if len(photos) < 4 else 1):
        for name, codec in timed.items():
            began = time.perf_counter()
            codec(photo)
            runs[name].append(time.perf_counter() - began)
    seconds = {name: statistics.median(each[1:]) for name, each in runs.items()}  # the first warms up
    print("\nSeconds to write and read a picture, median: " + ", ".join(f"{name} {each:.2f}" for name, each in seconds.items()))
    if reference:
        print(f"ours: {seconds['compressai'] / seconds['ours']:.1f} times as fast as compressai")
    if asked.json:
        print(json.dumps({"machine": machine, "curves": curves, "bd_rate": rates, "ours_against": against, "seconds": seconds}))


if __name__ == "__main__":
    main()
