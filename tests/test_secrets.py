"""Is it encryption? A code is read by who has examples; what a cipher has locked is not, nor once it has changed."""

import random
import sys

import pytest
import torch
from streamlit.testing.v1 import AppTest

from aecore import cipher
from aecore.codec import attack, small_weights
from aecore.data import Images
from aecore.jobs.errands import Cancelled
from aecore.refusal import Refused
from pages.ui import cache, secrets, stranger
from pages.ui.i18n import LANGUAGES
from tests.synthetic import blobs

PASSPHRASE = "correto cavalo à bateria"
WRONG = "The passphrase is wrong, or the file has changed"


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """scrypt at the least cost that a file may ask for."""
    monkeypatch.setattr(cipher, "COST", (14, 8, 1))


@pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 40])
def test_what_is_locked_opens_with_its_passphrase_alone(content: bytes, cheap: None) -> None:
    locked = cipher.lock(content, PASSPHRASE)
    assert len(locked) == len(content) + cipher.OVERHEAD and locked.startswith(cipher.MAGIC)
    assert cipher.unlock(locked, PASSPHRASE) == content
    assert cipher.unlock(locked, PASSPHRASE.replace("à", "a\u0300")) == content, "the same accent, typed as two characters"
    for wrong in (PASSPHRASE[:-1], PASSPHRASE.upper(), "", "\ud800"):
        with pytest.raises(Refused, match=WRONG):
            cipher.unlock(locked, wrong)


def test_the_same_content_is_never_locked_alike(cheap: None) -> None:
    first, second = (cipher.lock(bytes(100), PASSPHRASE) for _ in range(2))
    agreeing = sum(a == b for a, b in zip(first[8:], second[8:], strict=True))
    assert first[:8] == second[:8] and agreeing < 10


def test_the_cost_that_is_stated_is_the_cost() -> None:
    locked = cipher.lock(b"secret", PASSPHRASE)
    assert tuple(locked[5:8]) == (15, 8, 3) and cipher.unlock(locked, PASSPHRASE) == b"secret"


def test_its_arithmetic_is_the_librarys(cheap: None) -> None:
    """Written out from the docstring, so that the format does not drift."""
    from hashlib import scrypt

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    locked = cipher.lock(b"secret", PASSPHRASE)
    assert locked[:8] == b"aecx\x01\x0e\x08\x01"
    key = scrypt(PASSPHRASE.encode(), salt=locked[8:24], n=1 << 14, r=8, p=1, dklen=32)
    assert AESGCM(key).decrypt(locked[24:36], locked[36:], locked[:36]) == b"secret"


def test_no_changed_byte_passes(cheap: None) -> None:
    locked = cipher.lock(b"0123456789", PASSPHRASE)
    rng = random.Random(0)
    for place in range(len(locked)):
        spoilt = bytearray(locked)
        spoilt[place] ^= 1 << rng.randrange(8)
        with pytest.raises(Refused):
            cipher.unlock(bytes(spoilt), PASSPHRASE)
    for short in (locked[:-1], locked + b"\0", locked[:36] + locked[37:]):
        with pytest.raises(Refused, match=WRONG):
            cipher.unlock(short, PASSPHRASE)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a locked file"),
        (b"\x89PNG", "not a locked file"),
        (b"aecx", "end of this file is missing"),
        (b"aecx\x01\x0f\x08\x03" + bytes(43), "end of this file is missing"),
        (b"aecx\x02\x0f\x08\x03" + bytes(44), "of format 2"),
        (b"aecx\x00\x0f\x08\x03" + bytes(44), "asks for work"),
        (b"aecx\x01\x3f\x08\x03" + bytes(44), "asks for work"),
        (b"aecx\x01\x11\x08\x03" + bytes(44), "asks for work"),
        (b"aecx\x01\x0f\xff\x03" + bytes(44), "asks for work"),
        (b"aecx\x01\x0f\x08\xff" + bytes(44), "asks for work"),
        (b"aecx\x01\x00\x08\x00" + bytes(44), "asks for work"),
    ],
)
def test_a_strangers_file_is_refused_before_any_work(content: bytes, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cipher, "Scrypt", None)
    with pytest.raises(Refused, match=words):
        cipher.unlock(content, PASSPHRASE)


def test_limits_of_passphrases_and_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cipher, "Scrypt", None)
    with pytest.raises(Refused, match="too short"):
        cipher.lock(b"", "a\u0301" * 11)
    with pytest.raises(Refused, match="more than 1000"):
        cipher.lock(b"", "a" * 1001)
    monkeypatch.setattr(cipher, "MOST_BYTES", 1 << 20)
    with pytest.raises(Refused, match="1 MB, so it is not locked"):
        cipher.lock(bytes((1 << 20) + 1), PASSPHRASE)
    with pytest.raises(Refused, match="1 MB, so it is not opened"):
        cipher.unlock(b"aecx" + bytes(1 << 21), PASSPHRASE)


def coded(images: Images) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Numbers and pictures, known and secret, of a code that nobody told: fixed random mixtures of pixels, rounded."""
    mixing = torch.randn(images.train[0].numel(), 12, generator=torch.Generator().manual_seed(3))
    known, secret = (each.float() / 255 for each in (images.train, images.test))
    return (known.flatten(1) @ mixing).round(), known, (secret.flatten(1) @ mixing).round(), secret


def test_the_more_pairs_a_stranger_knows_the_more_they_see() -> None:
    numbers, known, secrets_, truth = coded(blobs())
    seen = {count: list(attack.learn(numbers[:count], known[:count], secrets_, truth, steps=60)) for count in (1, 20, 240)}
    final = {count: looks[-1].ssim for count, looks in seen.items()}
    average = attack.likeness(known.mean(0, keepdim=True).expand_as(truth), truth)
    assert final[1] < final[20] < final[240] and final[240] > max(0.7, average + 0.3)
    looks = seen[240]
    assert [each.share for each in looks] == sorted(each.share for each in looks) and looks[-1].share == 1
    assert looks[-1].loss < looks[0].loss and looks[-1].pictures.shape == truth.shape
    assert looks[-1].pictures.min() >= 0 and looks[-1].pictures.max() <= 1
    again = list(attack.learn(numbers, known, secrets_, truth, steps=60))
    assert torch.equal(again[-1].pictures, looks[-1].pictures), "all of it comes from the seed"


def test_the_truth_only_judges() -> None:
    numbers, known, secrets_, truth = coded(blobs())
    *_, honest = attack.learn(numbers, known, secrets_, truth, steps=20)
    *_, blind = attack.learn(numbers, known, secrets_, torch.zeros_like(truth), steps=20)
    assert torch.equal(honest.pictures, blind.pictures) and honest.ssim != blind.ssim


def test_near_codes_are_near_pictures() -> None:
    numbers, _, secrets_, truth = coded(blobs())
    codes, pixels, correlation = attack.distances(secrets_, truth, 300)
    assert codes.shape == pixels.shape == (300,) and pixels.min() > 0 and correlation > 0.7
    shuffled = truth[torch.randperm(len(truth), generator=torch.Generator().manual_seed(0))]
    assert abs(attack.distances(secrets_, shuffled, 300)[2]) < 0.3
    assert torch.equal(attack.nearest(numbers[:7], numbers), torch.arange(7))


def test_the_numbers_are_those_in_the_files() -> None:
    encoder, decoder, _ = small_weights.load("digits")
    pictures = cache.data("digits").test[:5]
    inside = torch.stack([decoder.numbers(encoder.write(each.float() / 255)[0]) for each in pictures])
    assert torch.equal(attack.numbers_of(encoder, pictures), inside)


def test_a_theft_shows_its_progress_and_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stranger, "_thefts", {})
    monkeypatch.setattr(attack.learn, "__defaults__", (6, 0))
    seen: list[tuple[float, int]] = []
    theft = stranger.work(3)(lambda done, glimpse=None: seen.append((done, len(glimpse.looks))), lambda: False)
    assert seen[0][1] == 1 and seen[-1] == (1, len(theft.looks)) and stranger._thefts == {3: theft} and theft.seconds > 0
    with pytest.raises(Cancelled):
        stranger.work(10)(lambda done, glimpse=None: None, lambda: True)
    assert list(stranger._thefts) == [3]


@pytest.fixture
def same_main_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest puts its script in the place of the program's main file, and processes started later would run it."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


def drawn(language: str) -> None:
    import streamlit as st

    from pages.ui import i18n, secrets

    st.session_state.setdefault("secrets", True)
    secrets.section(i18n.translator(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_section_locks_and_opens(language: str, same_main_file: None, cheap: None) -> None:
    app = AppTest.from_function(drawn, default_timeout=60, args=(language,)).run()
    assert not app.exception and len(app.info) == 1

    def send(key: str, words: str, button: int) -> AppTest:
        app.text_input(key=key).set_value(words)
        buttons = [each for each in app.button if each.key.startswith("FormSubmitter")]
        return buttons[button].click().run()

    codes = len(app.code)
    assert len(send("lock-passphrase", "short", 0).error) == 1 and len(app.code) == codes
    send("lock-passphrase", PASSPHRASE, 0)
    locked, again = app.session_state["locked"]
    assert (
        not app.error
        and locked != again
        and [each.value for each in app.code][-6:-3] != []
        and locked.hex(" ") in {each.value for each in app.code}
    )
    send("unlock-passphrase", PASSPHRASE, 1)
    assert len(app.success) == 1 and not app.error and not app.exception
    send("unlock-passphrase", PASSPHRASE + "!", 1)
    assert len(app.error) == 1 and not app.success
    send("unlock-passphrase", PASSPHRASE, 2)
    assert len(app.error) == 1 and not app.success


def test_one_byte_is_changed_whatever_is_given() -> None:
    assert secrets.changed(b"ab") == b"ac" and secrets.changed(b"") == b""
