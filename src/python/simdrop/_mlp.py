"""The network: a multi-layer perceptron with dropout, trained on the CPU."""

from __future__ import annotations

import ctypes as c
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._arguments import real
from ._arrays import address, class_labels, float32_matrix, mask_bytes
from ._config import from_structure, to_structure
from ._library import call, integer, library
from ._objects import MlpPointer, OptimizerPointer, Pointer, checked, tensor_view
from ._optimizer import Optimizer
from ._predictor import Predicts, exec_or_none
from ._structures import MlpConfig, Targets

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_WEIGHTS, _BIAS, _Z, _A, _MASK, _DA, _DZ, _DW, _DB = range(9)


def layer_of(layer: int) -> int:
    return integer("layer", layer, 64, signed=True)


class Mlp(Predicts):
    """Layers of Linear, ReLU and Dropout, then one of Linear and what the loss asks for.

    Layers count from 1; layer 0 is the input. Layer l has weights of widths[l] x widths[l - 1], as
    PyTorch stores them, and widths[l] biases. Activations are batch x features. All is float32.

    widths: units of the input, of each hidden layer and of the output.
    keep_prob: of the hidden layers' units, one number for all or one for each layer.
    input_keep_prob: of the input's features.
    loss: "softmax_ce" (2 to 256 classes; labels), "sigmoid_bce" (values in [0, 1]; the sum over
        outputs) or "identity_mse" (values). The loss of a batch is the mean over its rows.
    init: the first weights: "he", N(0, 2 / fan_in), or "xavier".
    dropout_unit: "element" drops units of each row by itself; "neuron" for all rows of a call, or
        for groups of dropout_group rows, which makes the step that of a smaller network.
    lazy_updates: with "neuron" and no groups, steps leave alone what was dropped.
    seed: of the first weights and of the masks.
    max_batch: most rows of forward() and train_step().
    num_threads: most threads for each call that does not say its own; 0: as many as this process
        may use. Results are the same on any number.
    record: z(), mask() and da() can be read. keep_gradients: train_step() leaves dw() and db().

    The mask of layer l in step t, row r: elements (first_row + r) * widths[l] onwards of the stream
    (seed, mask_stream_id(l, t)), which bernoulli_mask() shows. So a run that is stopped and
    resumed, or a batch that is split, has the same masks.

    Calls of one network wait for each other; they release the GIL. NaN in inputs or weights
    spreads. ValueError, or TypeError for a wrong type, names the argument, its value and what is
    allowed; RuntimeError says that something was not computed or kept. Nothing was changed then.
    """

    _prefix = "mlp"

    def __init__(self, widths: Sequence[int], *, keep_prob: float | Sequence[float] = 1.0,
                 input_keep_prob: float = 1.0, loss: str = "softmax_ce", init: str = "he",
                 dropout_unit: str = "element", dropout_group: int = 0, lazy_updates: bool = False,
                 seed: int = 0, max_batch: int = 256, num_threads: int = 1, record: bool = False,
                 keep_gradients: bool = False) -> None:
        config = to_structure(
            widths=widths, keep_prob=keep_prob, input_keep_prob=input_keep_prob, loss=loss,
            init=init, dropout_unit=dropout_unit, dropout_group=dropout_group,
            lazy_updates=lazy_updates, seed=seed, max_batch=max_batch, num_threads=num_threads,
            record=record, keep_gradients=keep_gradients)
        self._adopt(MlpPointer.create("mlp_create", c.byref(config)))

    def _adopt(self, pointer: Pointer) -> None:
        super().__init__(pointer)
        config = self.config
        self._inputs, self._outputs = config["widths"][0], config["widths"][-1]
        self._last = len(config["widths"]) - 1
        self._has_labels = config["loss"] == "softmax_ce"
        self._batches: tuple[NDArray[np.float32], ...] = ()  # what the library refers to

    @classmethod
    def _from(cls, pointer: Pointer) -> Mlp:
        made = cls.__new__(cls)
        made._adopt(pointer)
        return made

    def clone(self) -> Mlp:
        """A network of its own with the same configuration, parameters and injected masks."""
        with self._lock:
            return Mlp._from(MlpPointer.create("mlp_clone", self._pointer))

    @property
    def config(self) -> dict[str, Any]:
        """The keyword arguments of Mlp() that make such a network, with the keep_prob of now."""
        config = MlpConfig(struct_size=c.sizeof(MlpConfig))
        with self._lock:
            call("mlp_get_config", self._pointer, c.byref(config))
            return from_structure(config)

    @property
    def num_parameters(self) -> int:
        """The number of weights and biases."""
        count: int = library.simdrop_mlp_num_parameters(self._pointer)
        return count

    def _targets(self, targets: ArrayLike, rows: int) -> tuple[Targets, NDArray[Any]]:
        """The structure, and the array that it refers to."""
        if self._has_labels:
            labels = class_labels("targets", targets, rows, self._outputs)
            return Targets(struct_size=c.sizeof(Targets), labels=address(labels)), labels
        values, at, ld = float32_matrix("targets", targets, rows, self._outputs)
        return Targets(struct_size=c.sizeof(Targets), values=at, values_ld=ld), values

    def forward(self, x: ArrayLike, *, step: int = 0, first_row: int = 0,
                num_threads: int | None = None) -> NDArray[np.float32]:
        """Training forward: drops, and keeps what backward() needs. Returns the last layer's A.

        x: float32, rows x widths[0], 1 to max_batch rows. It is used where it is if its rows are
        contiguous, and must stay unchanged until after backward(); so must the weights.
        step: of training, below 2**40. first_row: the number of x's first row. Both choose masks.
        """
        step, first_row = integer("step", step, 64), integer("first_row", first_row, 64)
        batch, at, ld = float32_matrix("x", x, None, self._inputs)
        with self._lock:
            self._with_batch(batch, "mlp_forward", batch.shape[0], at, ld, step, first_row,
                             exec_or_none(num_threads))
            return self.a(self._last)

    def _with_batch(self, batch: NDArray[np.float32], name: str, *arguments: Any) -> None:
        """A call after which the library refers to `batch`, or if it fails to the one before.

        An interrupt leaves open which: both live on.
        """
        before = self._batches
        self._batches = (*before, batch)
        try:
            call(name, self._pointer, *arguments)
        except Exception:
            self._batches = before
            raise
        self._batches = (batch,)

    def backward(self, targets: ArrayLike, *, num_threads: int | None = None) -> float:
        """Gradients for the rows of the last forward(): dw() and db(). Returns the mean loss.

        targets: for "softmax_ce" integers, a class for each row; else float32, rows x outputs.
        """
        loss = c.c_double()
        with self._lock:
            rows = tensor_view(self._pointer, _A, self._last).shape[0]
            structure, kept = self._targets(targets, rows)
            call("mlp_backward", self._pointer, c.byref(structure), c.byref(loss),
                 exec_or_none(num_threads))
        return loss.value

    def train_step(self, x: ArrayLike, targets: ArrayLike, optimizer: Optimizer, *,
                   first_row: int = 0, num_threads: int | None = None) -> float:
        """forward(), backward() and a step of the optimizer. Returns the mean loss before it.

        The masks are those of step optimizer.step_count. The rest is as in the two functions.
        """
        state = checked("optimizer", optimizer, OptimizerPointer)
        first_row, loss = integer("first_row", first_row, 64), c.c_double()
        batch, at, ld = float32_matrix("x", x, None, self._inputs)
        structure, kept = self._targets(targets, batch.shape[0])
        with self._lock, state._lock:
            self._with_batch(batch, "mlp_train_step", batch.shape[0], at, ld, c.byref(structure),
                             state._pointer, first_row, c.byref(loss), exec_or_none(num_threads))
        return loss.value

    def loss(self, predictions: ArrayLike, targets: ArrayLike) -> float:
        """The mean loss of predictions, rows x outputs as predict() returns them."""
        loss = c.c_double()
        array, at, ld = float32_matrix("predictions", predictions, None, self._outputs)
        structure, kept = self._targets(targets, array.shape[0])
        with self._lock:
            call("mlp_loss", self._pointer, array.shape[0], at, ld, c.byref(structure),
                 c.byref(loss))
        return loss.value

    def weights(self, layer: int) -> NDArray[np.float32]:
        """The weights of a layer, widths[layer] x widths[layer - 1], where they are.

        They may be written to, but not during a call, nor between forward() and backward(). The
        array keeps the network's memory alive.
        """
        with self._lock:
            return tensor_view(self._pointer, _WEIGHTS, layer_of(layer))

    def bias(self, layer: int) -> NDArray[np.float32]:
        """The widths[layer] biases of a layer, as weights()."""
        with self._lock:
            return tensor_view(self._pointer, _BIAS, layer_of(layer)).reshape(-1)

    def _copy(self, kind: int, layer: int) -> NDArray[Any]:
        """Of what moves and changes."""
        with self._lock:
            copy: NDArray[Any] = tensor_view(self._pointer, kind, layer_of(layer)).copy()
            return copy

    def z(self, layer: int) -> NDArray[np.float32]:
        """W A_prev + b of the last forward, rows x widths[layer]; needs record. A copy.

        With "neuron", a() and dz() of all layers but the last need record too; dropped units are 0.
        """
        return self._copy(_Z, layer)

    def a(self, layer: int) -> NDArray[np.float32]:
        """Activations after dropout; layer 0 is the input as it was used. A copy."""
        return self._copy(_A, layer)

    def mask(self, layer: int) -> NDArray[np.uint8]:
        """The mask's bits, as of bernoulli_mask(): for each row, or with "neuron" each group of
        rows, widths[layer] of them. Of all layers but the last; needs record. A copy."""
        return self._copy(_MASK, layer).reshape(-1)

    def da(self, layer: int) -> NDArray[np.float32]:
        """The gradient of a hidden layer's units before dropout; needs record. A copy."""
        return self._copy(_DA, layer)

    def dz(self, layer: int) -> NDArray[np.float32]:
        """The gradient of z, of the sum over the batch: not divided by its rows. A copy."""
        return self._copy(_DZ, layer)

    def dw(self, layer: int) -> NDArray[np.float32]:
        """The gradient of weights(layer), of the mean loss. A copy."""
        return self._copy(_DW, layer)

    def db(self, layer: int) -> NDArray[np.float32]:
        """The gradient of bias(layer), of the mean loss. A copy."""
        return self._copy(_DB, layer).reshape(-1)

    def set_keep_prob(self, layer: int, keep_prob: float) -> None:
        """Changes keep_prob of a hidden layer, or of the input: 0, from the next forward on."""
        with self._lock:
            call("mlp_set_keep_prob", self._pointer, layer_of(layer), real("keep_prob", keep_prob))

    def inject_mask(self, layer: int, mask: NDArray[np.uint8] | None) -> None:
        """Makes every following forward use these bits for a hidden layer, or the input: 0.

        mask: uint8 bits as mask() shows them, for max_batch rows or the groups that they may touch;
        copied. None: back to drawn masks.
        """
        bits = np.empty(0, np.uint8) if mask is None else mask_bytes("mask", mask)
        with self._lock:
            call("mlp_inject_mask", self._pointer, layer_of(layer), address(bits), bits.size)

    @staticmethod
    def mask_stream_id(layer: int, step: int) -> int:
        """The stream of the mask of a layer in a training step (below 2**40)."""
        return _stream_id("mlp_mask_stream_id", layer, "step", step)

    @staticmethod
    def sample_stream_id(layer: int, sample: int) -> int:
        """The stream of the mask of a layer in a sample (below 2**40) of predict_monte_carlo()."""
        return _stream_id("mlp_sample_stream_id", layer, "sample", sample)


def _stream_id(function: str, layer: int, name: str, number: int) -> int:
    stream = c.c_uint64()
    call(function, layer_of(layer), integer(name, number, 64), c.byref(stream))
    return stream.value
