"""How the demo's clips sound: a chord that is plucked note by note over a soft drone."""

import wave
from pathlib import Path

import numpy as np

from reelm.commands.demo_topics import Topic

# Plucked sines need no more, and each sample costs time.
RATE_HZ = 22_050
BEGINNING_S = 0.05
END_S = 0.35


def write_sound(topic: Topic, number: int, duration_s: float, path: Path) -> None:
    """Write a WAV file; `number` is the clip's place in its topic, which shifts the tune."""
    seconds = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    root_hz = topic.root_hz * 2 ** ((0, 5, -2, 3)[number % 4] / 12)
    turned = number % len(topic.chord)
    chord = topic.chord[turned:] + topic.chord[:turned]
    heard = 0.25 * np.sin(np.pi * root_hz * seconds) * (1 + 0.3 * np.sin(2 * seconds))
    for place, semitones in enumerate(chord):
        heard += _plucked(seconds, root_hz * 2 ** (semitones / 12), place, len(chord), topic.step_s)
    rising = np.minimum(1, seconds / BEGINNING_S)
    falling = np.clip((duration_s - seconds) / END_S, 0, 1)
    samples = np.clip(0.16 * heard * rising * falling, -1, 1) * 32_767
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.astype("<i2").tobytes())


def _plucked(
    seconds: np.ndarray, hertz: float, place: int, notes: int, step_s: float
) -> np.ndarray:
    """Return one note of the bar, sounding again in each bar after its first time."""
    begun_s = place * step_s
    since = np.mod(seconds - begun_s, notes * step_s)
    turn = 2 * np.pi * hertz * seconds
    tone = np.sin(turn) + 0.3 * np.sin(2 * turn)
    # The first milliseconds rise, so that a pluck does not click.
    swell = np.exp(-4 * since) * np.minimum(1, since * 200)
    plucked: np.ndarray = tone * swell * (seconds >= begun_s)
    return plucked
