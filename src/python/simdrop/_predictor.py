"""Predictions of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ._arrays import Operands, float32_matrix, output
from ._library import call, exec_of, integer
from ._objects import MlpPointer, Object, PredictorPointer, checked

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ._mlp import Mlp


def exec_or_none(num_threads: int | None) -> int | None:
    """Who runs a call; None: as the object was created."""
    return None if num_threads is None else exec_of(num_threads)


class Predicts(Object):
    """What an Mlp and a Predictor share."""

    _prefix: str  # of the functions in C
    _inputs: int
    _outputs: int

    def predict(self, x: ArrayLike, *, out: NDArray[np.float32] | None = None,
                num_threads: int | None = None) -> NDArray[np.float32]:
        """Inference, without dropout: the last layer's A.

        x: float32, any number of rows x widths[0]; copied if its rows are not contiguous.
        out: rows x outputs to write to, with contiguous rows; no overlap with x. None: a new array.
        """
        batch, at, ld = float32_matrix("x", x, None, self._inputs)
        out = output("out", out, (batch.shape[0], self._outputs), np.dtype(np.float32))
        pairs = Operands(out, [], self._outputs).pairs
        with self._lock:
            call(self._prefix + "_predict", self._pointer, batch.shape[0], at, ld, *pairs,
                 exec_or_none(num_threads))
        return out

    def predict_monte_carlo(self, x: ArrayLike, *, samples: int, first_sample: int = 0,
                            first_row: int = 0, num_threads: int | None = None
                            ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and unbiased variance of the outputs over passes that drop as training does.

        x: as in predict(). Sample s, from first_sample on, draws the mask of layer l in row r from
        the stream (seed, Mlp.sample_stream_id(l, s)), elements (first_row + r) * widths[l] onwards.
        Source: Gal and Ghahramani, arXiv 1506.02142.
        """
        batch, at, ld = float32_matrix("x", x, None, self._inputs)
        numbers = (integer("samples", samples, 64, signed=True),
                   integer("first_sample", first_sample, 64), integer("first_row", first_row, 64))
        mean, variance = (np.empty((batch.shape[0], self._outputs), np.float32) for _ in range(2))
        pairs = Operands(variance, [mean], self._outputs).pairs
        with self._lock:
            call(self._prefix + "_predict_monte_carlo", self._pointer, batch.shape[0], at, ld,
                 *numbers, *pairs, exec_or_none(num_threads))
        return mean, variance


class Predictor(Predicts):
    """The buffers of one thread that predicts with a network, which other threads may use too.

    Calls of one Mlp wait for each other; those of several predictors of it do not. None of them may
    run while the network is trained or its parameters are written to. Results are those of the
    network, which a predictor keeps alive.

    max_batch: rows that pass the network together; memory grows with it.
    num_threads: most threads for a call that does not say its own; 0: as many as this process may
        use.
    """

    _prefix = "predictor"

    def __init__(self, mlp: Mlp, *, max_batch: int = 256, num_threads: int = 1) -> None:
        network = checked("mlp", mlp, MlpPointer)
        self._network = network._keeper  # must outlive the predictor
        super().__init__(PredictorPointer.create(
            "predictor_create", network._pointer, integer("max_batch", max_batch, 64, signed=True),
            exec_of(num_threads)))
        self._inputs, self._outputs = mlp._inputs, mlp._outputs
