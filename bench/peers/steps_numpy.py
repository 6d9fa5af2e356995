"""NumPy's worker of steps.py: textbook code in f32."""

import peers_common
import steps_common

steps_common.threads()
np = peers_common.module("numpy")


def softmax_loss(z, labels):
    shifted = z - z.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    dz = exponentials / sums
    loss = np.mean(np.log(sums[:, 0]) - shifted[rows, labels])
    dz[rows, labels] -= 1
    return loss, dz / len(labels)


def sigmoid_loss(z, y):
    small = np.exp(-np.abs(z))  # the textbook's logarithms of a and 1 - a become infinite
    loss = np.mean(np.maximum(z, 0) - z * y + np.log1p(small))
    return loss, (np.where(z >= 0, 1, small) / (1 + small) - y) / len(y)


def mse_loss(z, y):
    difference = z - y
    return np.mean(difference**2), difference * np.float32(2 / difference.size)


LOSSES = {"softmax": softmax_loss, "sigmoid": sigmoid_loss, "mse": mse_loss}


class Network:
    def __init__(self, problem, drops):
        self.parameters = problem.initial_weights(np)
        self.velocity = [tuple(map(np.zeros_like, layer)) for layer in self.parameters]
        self.pool = problem.pool(np)
        self.learning_rate = problem.learning_rate
        self.momentum = problem.momentum
        self.loss = LOSSES[problem.loss]
        self.keep_prob = problem.keep_prob if drops else 1.0
        self.rng = np.random.default_rng(3)

    def forward(self, x):
        activations, masks = [x], []
        for l, (weight, bias) in enumerate(self.parameters):
            a = activations[-1] @ weight.T + bias
            if l + 1 < len(self.parameters):
                a = np.maximum(a, 0)
                if self.keep_prob < 1:
                    mask = self.rng.random(a.shape, dtype=np.float32) < self.keep_prob
                    a *= mask
                    a /= self.keep_prob
                    masks.append(mask)
            activations.append(a)
        return activations, masks

    def update(self, l, gradients):
        for w, v, g in zip(self.parameters[l], self.velocity[l], gradients):
            if self.momentum > 0:
                v *= self.momentum
                v += g
                g = v
            w -= self.learning_rate * g

    def step(self, batch):
        x, y = self.pool[batch]
        activations, masks = self.forward(x)
        loss, dz = self.loss(activations[-1], y)
        for l in reversed(range(len(self.parameters))):
            gradients = (dz.T @ activations[l], dz.sum(axis=0))
            if l > 0:
                da = dz @ self.parameters[l][0]
                if masks:
                    da *= masks[l - 1]
                    da /= self.keep_prob
                dz = da * (activations[l] > 0)
            self.update(l, gradients)
        return loss

    @staticmethod
    def finish(loss):
        return loss


if __name__ == "__main__":
    steps_common.serve("NumPy textbook", np.__version__, Network)
