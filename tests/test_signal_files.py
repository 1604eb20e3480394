"""WAV sounds and CSV tables from strangers: kept as they came, or refused in a sentence."""

import io
import struct
import time

import numpy as np
import pytest
import soundfile
import torch

from aecore.refusal import Refused
from aecore.signals import sounds, tables
from aecore.signals.files import read_sound, read_table, write_sound, write_table

RNG = np.random.default_rng(0)


def wav(samples: np.ndarray, rate: int = 16_000, kind: str = "PCM_16", container: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype=kind, format=container)
    return file.getvalue()


def claiming(content: bytes, size: int) -> bytes:
    """The same WAV whose header says that its samples take ``size`` bytes."""
    place = content.index(b"data") + 4
    return content[:place] + struct.pack("<I", size) + content[place + 4 :]


WHOLE = RNG.integers(-(2**31), 2**31, (500, 2)).astype(np.int32)


@pytest.mark.parametrize("kind", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("container", ["WAV", "WAVEX"])
def test_sounds_keep_format_rate_and_samples(kind: str, channels: int, container: str) -> None:
    content = wav(WHOLE[:, :channels] if kind.startswith("PCM") else WHOLE[:, :channels] / 2**31, 44_100, kind, container)
    sound = read_sound(content, "x.wav")
    assert sound.values.shape == (channels, 500) and sound.values.dtype == torch.float32 and sound.rate == 44_100
    again = write_sound(sound, sound.values)
    info = soundfile.info(io.BytesIO(again))
    assert (info.subtype, info.format, info.samplerate, info.channels) == (kind, container, 44_100, channels)
    before, after = (soundfile.read(io.BytesIO(each))[0] for each in (content, again))
    assert np.abs(before - after).max() <= (0 if kind not in ("PCM_32", "DOUBLE") else 2**-24)


def test_samples_beyond_full_scale_are_cut_not_wrapped() -> None:
    sound = read_sound(wav(WHOLE), "x")
    after = soundfile.read(io.BytesIO(write_sound(sound, torch.tensor([[2.0, -2.0], [0.5, 0.0]]))))[0]
    assert np.allclose(after, [[1, 0.5], [-1, 0]], atol=1e-4)


def test_a_stream_whose_length_was_not_known_is_read_to_its_end() -> None:
    assert read_sound(claiming(wav(WHOLE), 0xFFFFFFFF), "x").values.shape == (2, 500)


BAD_SOUNDS = {
    "text": (b"Dear diary", "is not a WAV"),
    "nothing": (b"", "is not a WAV"),
    "flac": (wav(WHOLE, container="FLAC"), "is not a WAV"),
    "a billion frames": (claiming(wav(WHOLE), 4_000_000_000), "more than 15 minutes"),
    "three hours": (claiming(wav(WHOLE, 8000, "PCM_U8"), 2 * 3 * 3600 * 8000), "more than 15 minutes"),
    "cut": (wav(WHOLE)[:-100], "damaged or incomplete"),
    "cut in the header": (wav(WHOLE)[:30], "damaged or incomplete"),
    "a header only": (wav(WHOLE[:0]), "no sound in it"),
    "NaN": (wav(np.array([0.0, np.nan]), kind="FLOAT"), "not usable numbers"),
    "infinite": (wav(np.array([0.0, np.inf]), kind="FLOAT"), "not usable numbers"),
    "too fast": (wav(WHOLE, 96_000), "96000 samples a second"),
    "too slow": (wav(WHOLE, 4000), "4000 samples a second"),
    "three channels": (wav(np.zeros((9, 3))), "3 channels"),
    "telephone": (wav(WHOLE[:, :1], 8000, "ULAW"), "packed in a way"),
    "noise behind a header": (b"RIFF\xff\xff\xff\xffWAVE" + RNG.bytes(300), "damaged or incomplete"),
}


@pytest.mark.parametrize("case", BAD_SOUNDS)
def test_bad_sounds_are_refused_in_a_sentence(case: str) -> None:
    content, words = BAD_SOUNDS[case]
    began = time.perf_counter()
    with pytest.raises(Refused, match=words):
        read_sound(content, "folder/x.wav")
    assert time.perf_counter() - began < 1


def test_broken_headers_never_get_through_as_anything_else() -> None:
    content = wav(WHOLE[:20])
    for place in range(8, 44):
        for value in (0, 255):
            try:
                read_sound(content[:place] + bytes([value]) + content[place + 1 :], "x")
            except Refused:
                continue


TABLES = {
    "comma": b"t,x\n0,1.5\n1,2.5\n2,1.0\n",
    "semicolon, decimal comma, words": "t;größe;name\n0;1,5;Ana\n1;2,25;\n2;;Bo\n".encode(),
    "tab, CRLF": b"t\tx\r\n0\t1.5\r\n1\t-2e3\r\n",
    "quotes and a mark": b'\xef\xbb\xbf"a, b",c,d\r\n"2.5",hello,"x, ""y"""\r\n4,"two\r\nlines", 7 \r\n',
    "no names": b"1.5\n2.5\n1.0\n",
    "one column, decimal comma": b"v\n1,5\n2,5\n0,5",
    "Latin 1": "é,x\nà,2\nb,1\n".encode("latin-1"),
    "UTF-16": "a\tb\n1\t2\n3\t1\n".encode("utf-16"),
    "blank lines": b"\na,b\n\n1,2\n3,4\n\n\n",
    "missing": b"x\n1\nNA\n\n3\nnan\n",
    "one row": b"a,b\n1,2\n",
    "constant": b"a\n5\n5\n5\n",
}


@pytest.mark.parametrize("case", TABLES)
def test_tables_come_back_as_they_were(case: str) -> None:
    table = read_table(TABLES[case], "x.csv")
    assert table.columns and all(values.dtype == np.float64 for values in table.columns.values())
    assert write_table(table, table.columns) == TABLES[case]
    changed = write_table(table, {name: values + 0.125 for name, values in table.columns.items()})
    again = read_table(changed, "x.csv")
    assert again.columns.keys() == table.columns.keys() and changed != TABLES[case]
    for name, values in table.columns.items():
        assert np.allclose(again.columns[name], values + 0.125, equal_nan=True, atol=1e-4 * np.ptp(values[np.isfinite(values)]))


def test_numbers_are_found_and_the_rest_is_kept() -> None:
    table = read_table(TABLES["semicolon, decimal comma, words"], "x.csv")
    assert list(table.columns) == ["t", "größe"] and np.array_equal(table.columns["größe"], [1.5, 2.25, np.nan], equal_nan=True)
    assert write_table(table, {"größe": np.array([1.0, 2.0, 9.0])}).decode().splitlines()[1:] == ["0;1,0000;Ana", "1;2,0000;", "2;;Bo"]
    assert read_table(b"t,x\n1,5\n2,4\n3,6\n", "x").signals == ("x",)  # t is a clock
    assert list(read_table(b"a,a,\n1,2,3\n3,1,2\n", "x").columns) == ["a", "a (2)", "3"]
    assert list(read_table(b"1,2\n3,1\n", "x").columns) == ["1", "2"]


BAD_TABLES = {
    "nothing": (b"", "no column of numbers"),
    "blank": (b"\n \n", "no column of numbers"),
    "names only": (b"a,b\n", "no column of numbers"),
    "words": (b"a,b\nx,y\n", "no column of numbers"),
    "all missing": (b"a\nNA\nNA\n", "no column of numbers"),
    "infinite": (b"a\ninf\n1e999\n", "no column of numbers"),
    "binary": (b"\x89PNG\r\n\x1a\n\0\0", "not a table of text"),
    "ragged": (b"a,b\n1,2\n3\n", "Row 3 of x.csv has 1 fields"),
    "too wide": (b",".join([b"1"] * 300), "more than 256 columns"),
    "an open quote": (b'a,b\n1,2\n"3,4\n5,6\n', "Row 3 of x.csv"),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables_are_refused_in_a_sentence(case: str) -> None:
    content, words = BAD_TABLES[case]
    with pytest.raises(Refused, match=words):
        read_table(content, "folder/x.csv")


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_TABLE_BYTES", 1 << 20)
    monkeypatch.setattr(tables, "MAX_ROWS", 100)
    monkeypatch.setattr(sounds, "MAX_SOUND_BYTES", 1 << 20)
    with pytest.raises(Refused, match="more than 1 MB"):
        read_table(bytes((1 << 20) + 1), "x")
    with pytest.raises(Refused, match="more than 100 rows"):
        read_table(b"1\n" * 102, "x")
    with pytest.raises(Refused, match="more than 1 MB"):
        read_sound(bytes((1 << 20) + 1), "x")
