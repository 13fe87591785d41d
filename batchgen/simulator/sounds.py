"""Speech as a rehearsal has it: a short tone for every letter, a rest for everything else, in a WAV."""

import hashlib
import io
import math
import struct
import wave
from functools import lru_cache

RATE = 16_000  # samples a second, where none is asked for
CHANNELS = 1
_HEAD = 44  # bytes before the first sample
_LETTER = 0.065  # seconds, at the usual speed: about fifteen letters a second
_MOST = 30.0  # seconds: more is only more bytes
_LOUD = 9_000  # of 32,767
_LOWEST, _HIGHEST = 110.0, 210.0  # hertz of voices
_STEPS = (0, 2, 4, 7, 9, 12, 14)  # half tones above the voice


def seconds_of(text: str, speed: float) -> float:
    """Return how long a text takes to be said."""
    return min(_MOST, max(1, len(text)) * _LETTER / speed)


def length_of(text: str, *, speed: float, rate: int) -> int:
    """Return how many bytes the WAV of a text has."""
    return _HEAD + 2 * _samples(speed, rate) * _letters(text, speed)


def spoken(text: str, *, voice: str, speed: float, rate: int) -> bytes:
    """Return a WAV, 16 bits and one channel.

    Args:
        text: what is said; the same letter sounds the same.
        voice: whose name sets the pitch.
        speed: 1 is the usual one.
        rate: samples a second.
    """
    pitch = _LOWEST + (_HIGHEST - _LOWEST) * hashlib.sha256(voice.encode()).digest()[0] / 255
    tones = _tones(round(pitch, 1), _samples(speed, rate), rate)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(CHANNELS)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(tones[_step(one)] for one in (text or " ")[: _letters(text, speed)]))
    return out.getvalue()


def _letters(text: str, speed: float) -> int:
    return max(1, round(seconds_of(text, speed) * speed / _LETTER))


def _samples(speed: float, rate: int) -> int:
    """Return how many samples a letter has."""
    return round(_LETTER / speed * rate)


def _step(letter: str) -> int:
    return 1 + ord(letter.lower()) % len(_STEPS) if letter.isalnum() else 0


@lru_cache(maxsize=16)
def _tones(pitch: float, count: int, rate: int) -> tuple[bytes, ...]:
    """Return a rest and the tones, each so many samples."""
    made = [bytes(2 * count)]
    for step in _STEPS:
        hertz = pitch * 2 ** (step / 12)
        levels = (
            round(_LOUD * math.sin(math.pi * place / count) * math.sin(2 * math.pi * hertz * place / rate))
            for place in range(count)
        )
        made.append(struct.pack(f"<{count}h", *levels))
    return tuple(made)
