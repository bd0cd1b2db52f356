"""Small perceptrons with one trunk and several heads, learned as events come.

Four begin differently and remember differently, and their mean is what counts (Lakshminarayanan,
Pritzel, Blundell, NIPS 2017): it is worth 0.0005 of AUC on the benchmark's log.

Adam (Kingma, Ba, ICLR 2015) on blocks of new events with a sample of remembered ones beside
them; predictions use a running average of the weights (Polyak, Juditsky, SIAM J. Control Optim.
30, 1992), which is calmer than the last ones. Events since the last block change nothing here yet:
what must show at once is in the effects (effects.py), which are its input.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker.rows import Array

Floats = npt.NDArray[np.float32]
HIDDEN = (64, 32)
MEMBERS = 4
RATE, DECAY, AVERAGE = 2e-3, 1e-5, 0.999
FIRST_MOMENT, SECOND_MOMENT, TINY = 0.9, 0.999, 1e-8
# Events that make a step, remembered ones learned again beside them, and how many are remembered.
BLOCK, AGAIN, REMEMBERED = 8, 16, 1 << 15
# Where many events come at once there is no step for each block, but one for so many events: the
# net follows slow things, and what is remembered is learned again anyway.
EVENTS_A_STEP = 512


def sigmoid(logits: Array) -> Floats:
    """Return the logistic function."""
    result: Floats = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    return result


class Net:
    """The perceptrons; all weights have a first axis of members.

    Args:
        inputs: number of features.
        head_weights: how much each head's loss counts; shape (heads,).
        seed: of the first weights and of what is remembered.
    """

    def __init__(self, inputs: int, head_weights: Floats, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._head_weights = head_weights
        sizes = (inputs, *HIDDEN, len(head_weights))
        self._weights = list[Floats]()
        for below, above in pairwise(sizes):
            # He initialisation; the last layer small, so that the first predictions are even.
            scale = np.sqrt(2 / below) * (0.1 if above == len(head_weights) else 1.0)
            matrix = self._random.normal(0, scale, (MEMBERS, below, above)).astype(np.float32)
            self._weights += [matrix, np.zeros((MEMBERS, 1, above), np.float32)]
        self._mean = [weight.copy() for weight in self._weights]
        self._first = [np.zeros_like(weight) for weight in self._weights]
        self._second = [np.zeros_like(weight) for weight in self._weights]
        # Half precision: what is remembered need not be exact.
        self._inputs = np.zeros((REMEMBERED, inputs), np.float16)
        self._targets = np.zeros((REMEMBERED, len(head_weights)), np.float16)
        self._count = self._learned = self._steps = 0

    def predict(self, inputs: Floats) -> Floats:
        """Return the heads' probabilities, shape (n, heads)."""
        result: Floats = _forward(self._mean, inputs)[-1].mean(axis=0)
        return result

    def learn(self, inputs: Floats, targets: Floats) -> None:
        """Remember events, and take a step for each full block of new ones, or for many at once."""
        size = max(BLOCK, min(EVENTS_A_STEP, len(inputs)))
        for start in range(0, len(inputs), size):
            some = inputs[start : start + size]
            places = (self._count + np.arange(len(some))) % REMEMBERED
            self._inputs[places] = some
            self._targets[places] = targets[start : start + size]
            self._count += len(some)
            if self._count - self._learned >= BLOCK:
                self._step()

    def save(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return header and arrays."""
        known = min(self._count, REMEMBERED)
        arrays: dict[str, Array] = {
            "net.inputs": self._inputs[:known],
            "net.targets": self._targets[:known],
        }
        for name, weights in self._parts().items():
            arrays |= {f"net.{name}.{n}": weight for n, weight in enumerate(weights)}
        header = {
            "count": self._count,
            "learned": self._learned,
            "steps": self._steps,
            "random": self._random.bit_generator.state,
        }
        return header, arrays

    def load(self, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Take over what `save` returned."""
        self._count, self._learned = int(header["count"]), int(header["learned"])
        self._steps = int(header["steps"])
        self._random.bit_generator.state = dict(header["random"])
        known = min(self._count, REMEMBERED)
        self._inputs[:known] = arrays["net.inputs"]
        self._targets[:known] = arrays["net.targets"]
        for name, weights in self._parts().items():
            for n, weight in enumerate(weights):
                weight[...] = arrays[f"net.{name}.{n}"]

    def _parts(self) -> dict[str, list[Floats]]:
        return {
            "weights": self._weights,
            "mean": self._mean,
            "first": self._first,
            "second": self._second,
        }

    def _step(self) -> None:
        new = np.arange(max(self._learned, self._count - 2 * BLOCK), self._count)
        chosen = np.broadcast_to(new, (MEMBERS, len(new)))
        if self._learned:
            oldest = max(0, self._count - REMEMBERED)
            again = self._random.integers(oldest, self._learned, (MEMBERS, AGAIN))
            chosen = np.concatenate([chosen, again], axis=1)
        self._learned = self._count
        inputs = self._inputs[chosen % REMEMBERED].astype(np.float32)
        targets = self._targets[chosen % REMEMBERED].astype(np.float32)
        layers = _forward(self._weights, inputs)
        error = (layers[-1] - targets) * self._head_weights / np.float32(chosen.shape[1])
        self._steps += 1
        for n in range(len(self._weights) - 2, -1, -2):
            below = layers[n // 2]
            slope = below.swapaxes(1, 2) @ error + np.float32(DECAY) * self._weights[n]
            bias_slope = error.sum(axis=1, keepdims=True)
            if n:
                error = (error @ self._weights[n].swapaxes(1, 2)) * (below > 0)
            self._move(n, slope)
            self._move(n + 1, bias_slope)

    def _move(self, n: int, slope: Floats) -> None:
        first, second = self._first[n], self._second[n]
        first += np.float32(1 - FIRST_MOMENT) * (slope - first)
        second += np.float32(1 - SECOND_MOMENT) * (slope * slope - second)
        rate = np.float32(RATE / (1 - FIRST_MOMENT**self._steps))
        unbiased = second * np.float32(1 / (1 - SECOND_MOMENT**self._steps))
        self._weights[n] -= rate * first / (np.sqrt(unbiased) + np.float32(TINY))
        keep = min(AVERAGE, 1 - 1 / (self._steps + 1))
        self._mean[n] += np.float32(1 - keep) * (self._weights[n] - self._mean[n])


def _forward(weights: list[Floats], inputs: Floats) -> list[Floats]:
    """Return the input of each layer, and last the output."""
    layers = [inputs]
    for n in range(0, len(weights) - 2, 2):
        hidden = layers[-1] @ weights[n]
        hidden += weights[n + 1]
        layers.append(np.maximum(hidden, 0, out=hidden))
    layers.append(sigmoid(layers[-1] @ weights[-2] + weights[-1]))
    return layers
