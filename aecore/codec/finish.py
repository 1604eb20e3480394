"""The end of a run: the context model in whole numbers, tables as counted on the training photographs, weights and card."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from aecore.codec import coding, small_weights
from aecore.codec.container import TILE
from aecore.codec.fixed import codec
from aecore.codec.fixed import measured as measured_scale
from aecore.codec.halves import Photos, halves
from aecore.codec.integers import UNIT
from aecore.codec.small import CODE, Small, SmallLessons
from aecore.codec.tables import REACHES, measured
from aecore.codec.training import QUALITIES, Lessons
from aecore.denoise.weights import card_for, save
from aecore.metrics import psnr

COUNTED = 60
"""Photographs that tables are counted on, each at a quality of its own."""


def freeze(whole: Photos, photos: list[Tensor]) -> None:
    """Fill the tables with what is met in photographs ``(3, H, W)`` uint8."""
    sizes = np.array([2 * each + 2 for each in REACHES])
    totals = [np.zeros(size) for size in sizes]
    encoder = halves(whole, bytes(4))[0]
    for place, photo in enumerate(photos):
        quality = round(100 * place / max(1, len(photos) - 1))
        picture = photo.float()[:, :TILE, :TILE] / 255
        code = encoder.code(picture, quality, (slice(0, picture.shape[1]), slice(0, picture.shape[2])))

        def tell(channels: slice, phase: tuple[int, int], mean: Tensor, classes: Tensor, code: Tensor = code) -> Tensor:
            error = code[channels, phase[0] :: 2, phase[1] :: 2].double() - mean / UNIT
            values = coding.rounded(error)
            for total, met in zip(totals, coding.counts(sizes, values.numpy().ravel(), classes.numpy().ravel()), strict=True):
                total += met
            return values

        with torch.no_grad():
            coding.walk(encoder.rounds, code.shape[1], code.shape[2], quality, tell)
    whole.tables.fill(measured(totals))


def finish(lessons: Lessons, words: dict[str, str], output: Path) -> None:
    """Freeze what was learnt, measure it on the photographs held out, from real files, and write it with its card."""
    whole = Photos.of(lessons.learnt()).eval()
    for half in (whole.encoder, whole.decoder):  # as it will be after it was stored
        half.half().float()
    rng = torch.Generator().manual_seed(lessons.plan.seed)
    chosen = torch.randperm(len(lessons.subject.photos), generator=rng)[:COUNTED].tolist()  # type: ignore[attr-defined]
    freeze(whole, [lessons.subject.photos[each] for each in chosen])  # type: ignore[attr-defined]
    found = measure(whole, lessons.subject.held_out)  # type: ignore[attr-defined]
    done = lessons.progress
    card = card_for(whole, output.stem, **words, plan=lessons.plan, steps=done.step, seconds=done.seconds, metrics={"held out": found})
    save(whole, card, output)
    print(f"{output}: {done.step} steps in {done.seconds:.0f} s; " + ", ".join(f"{name} {value:.3f}" for name, value in found.items()))


def measure(whole: Photos, photos: list[Tensor]) -> dict[str, float]:
    """Mean bits per pixel of the files and PSNR in dB of the pictures, at three qualities."""
    encoder, decoder = halves(whole, bytes(4))
    found = {}
    for quality in QUALITIES:
        rates, scores = [], []
        for photo in photos:
            written = encoder.write(photo.float() / 255, quality)
            assert written is not None
            picture = decoder.read(written[0])
            assert picture is not None
            rates.append(8 * len(written[0]) / photo[0].numel())
            scores.append(psnr(picture.float() / 255, photo.float() / 255))
        found[f"bits_per_pixel_quality_{quality}"] = sum(rates) / len(rates)
        found[f"psnr_quality_{quality}"] = sum(scores) / len(scores)
    return found


def finish_small(lessons: SmallLessons, words: dict[str, str], output: Path) -> None:
    """Count tables on the training pictures, measure on real files of the test pictures, and write all with its card."""
    subject: Small = lessons.subject  # type: ignore[assignment]
    model = lessons.learnt().model.half().float().eval()
    scale = measured_scale(model, subject.images.train, step=1 / CODE)
    encoder, decoder = codec(model, scale)
    sizes, errors = [], []
    for picture in subject.images.test.float() / 255:
        content, _ = encoder.write(picture)
        sizes.append(len(content))
        errors.append(float((decoder.read(content).float() / 255 - picture).square().mean()))
    found = {"bytes": sum(sizes) / len(sizes), "mse": sum(errors) / len(errors)}
    done = lessons.progress
    base = card_for(model, output.stem, **words, plan=lessons.plan, steps=done.step, seconds=done.seconds, metrics={"test": found})
    card = small_weights.Card(**vars(base), variant=subject.variant, knobs=model.config.values(), shape=model.shape)
    small_weights.save(model, scale, card, output)
    print(f"{output}: {done.step} steps in {done.seconds:.0f} s; test: {found['bytes']:.1f} bytes, MSE {found['mse']:.5f}")
