"""Sound: a short chord as PCM, and the WAV around it."""

from __future__ import annotations

import io
import math
import random
import wave
from array import array

RATE = 16_000
_SCALE = (220.0, 246.94, 277.18, 329.63, 369.99, 440.0)


def chord(seconds: float, dice: random.Random) -> bytes:
    """16-bit mono PCM, little-endian: one second of a soft chord, repeated with a breath between."""
    notes = dice.sample(_SCALE, 3)
    second = array("h")
    for index in range(RATE):
        at = index / RATE
        swell = math.sin(math.pi * at) ** 2
        second.append(round(6000 * swell * sum(math.sin(2 * math.pi * note * at) for note in notes) / 3))
    whole = second.tobytes() * math.ceil(seconds)
    return whole[: 2 * round(seconds * RATE)]


def as_wav(pcm: bytes) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(pcm)
    return out.getvalue()
