"""Sounds from strangers, to be given back as they came; only the samples that were mended change."""

import io
import struct
from dataclasses import dataclass

import numpy as np
import soundfile
import torch
from torch import Tensor

from aecore.data.own import shown
from aecore.refusal import Refused

MAX_SOUND_BYTES = 200 << 20
MAX_SECONDS = 15 * 60
"""As 48 kHz stereo they take 0.35 GB in memory."""
RATES = (8_000, 48_000)
BITS = {"PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64}
"""Of one sample, by soundfile's names of the formats that are read and written."""
UNKNOWN_LENGTHS = (0, 0xFFFFFFFF)  # what programs write that do not know yet how long the sound will be
LOUDEST = 1e4  # of a float file's samples; full scale is 1
BLOCK = 1 << 18  # frames written at once


@dataclass(frozen=True)
class Sound:
    """A sound that was read: ``values`` ``(C, N)`` float32, full scale is -1 to 1, C is 1 or 2; ``rate`` in Hz.

    ``container`` and ``encoding`` are soundfile's names of what will be written.
    """

    name: str
    values: Tensor
    rate: int
    container: str
    encoding: str

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.values.shape[1] / self.rate


def read_sound(data: bytes, name: str) -> Sound:
    """A sound from the bytes of a WAV file: mono or stereo, 8 to 48 kHz, integers of 8 to 32 bits or floats.

    What its header says is checked against the bytes that are there before any is decoded. Raises ``Refused`` for what is
    no WAV, too long, incomplete or empty. ``name`` is only used to speak of it.
    """
    name = shown(name)
    if len(data) > MAX_SOUND_BYTES:
        raise Refused("{name} has more than {limit} MB. Cut it into parts, then try again.", name=name, limit=MAX_SOUND_BYTES >> 20)
    if not (data[:4] == b"RIFF" and data[8:12] == b"WAVE"):
        raise Refused("{name} is not a WAV sound. Save it as WAV, then try again.", name=name)
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            frames = _frames(file, data, name)
            read = file.read(frames, dtype="float32", always_2d=True)
            container, encoding, rate = file.format, file.subtype, file.samplerate
    except soundfile.SoundFileError as error:
        raise _incomplete(name) from error
    if not len(read):
        raise Refused("{name} has no sound in it. Choose another file.", name=name)
    if not (np.abs(read).max() <= LOUDEST):  # false for NaN too
        raise Refused("{name} has samples that are not usable numbers. Save it again as 16-bit WAV, then try again.", name=name)
    return Sound(name, torch.from_numpy(read).T, rate, container, encoding)


def write_sound(sound: Sound, values: Tensor) -> bytes:
    """The WAV file's bytes with ``values``, of the shape of ``sound.values``, in place of its samples; integers are rounded and cut."""
    bits = BITS[sound.encoding]
    output = io.BytesIO()
    output.name = "sound.wav"
    with soundfile.SoundFile(output, "w", sound.rate, values.shape[0], sound.encoding, format=sound.container) as file:
        for block in values.split(BLOCK, 1):
            samples = block.T.double().numpy()
            if sound.encoding.startswith("PCM"):
                top = 2 ** (bits - 1)
                samples = np.clip(np.rint(samples * top), -top, top - 1).astype(np.int32) << (32 - bits)
            file.write(samples)
    return output.getvalue()


def _frames(file: soundfile.SoundFile, data: bytes, name: str) -> int:
    """How many frames to read; ``Refused`` where they are of a kind that is not read, or not all there."""
    if file.channels not in (1, 2):
        raise Refused("{name} has {count} channels. Save it with one or two, then try again.", name=name, count=file.channels)
    low, high = RATES
    if not low <= file.samplerate <= high:
        raise Refused(
            "{name} has {rate} samples a second. Save it with {low} to {high}, then try again.",
            name=name,
            rate=file.samplerate,
            low=low,
            high=high,
        )
    if file.subtype not in BITS:
        raise Refused("{name} is packed in a way that is not read here ({kind}). Save it as 16-bit WAV.", name=name, kind=file.subtype)
    begin, claimed = _data_chunk(data)
    size = file.channels * BITS[file.subtype] // 8
    present = len(data) - begin
    length = present if claimed in UNKNOWN_LENGTHS else claimed
    if length > MAX_SECONDS * file.samplerate * size:
        raise Refused("{name} lasts more than {most} minutes. Cut it into parts, then try again.", name=name, most=MAX_SECONDS // 60)
    if length > present:
        raise _incomplete(name)
    return min(length // size, file.frames)


def _data_chunk(data: bytes) -> tuple[int, int]:
    """Where the samples of a WAV file begin, and how many bytes of them its header claims."""
    place = 12
    while place + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, place)
        if kind == b"data":
            return place + 8, length
        place += 8 + length + length % 2
    return len(data), 0


def _incomplete(name: str) -> Refused:
    return Refused("{name} is damaged or incomplete. Save or download it again.", name=name)
