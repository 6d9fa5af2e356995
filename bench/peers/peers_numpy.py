"""Dropout as NumPy code does it: the textbook's four steps, and the strongest way found."""

import peers_common as common

common.use_cores(1)
np = common.module("numpy")


def cases(x, keep_prob):
    generator = np.random.Generator(np.random.PCG64(1))
    uniform, y = np.empty_like(x), np.empty_like(x)
    scale = np.float32(1 / keep_prob)

    def textbook():
        mask = np.random.rand(len(x)) < keep_prob
        return x * mask / np.float32(keep_prob)

    def with_generator(values):
        generator.random(out=uniform, dtype=np.float32)
        np.multiply(values, scale, out=y)
        return np.multiply(y, uniform < np.float32(keep_prob), out=y)

    def relu_with_generator():
        return with_generator(np.maximum(x, 0, out=y))

    return [
        ("dropout", "rand, compare, multiply, divide", textbook),
        ("dropout", "Generator(PCG64) f32, preallocated", lambda: with_generator(x)),
        ("ReLU + dropout", "Generator(PCG64) f32, preallocated", relu_with_generator),
    ]


def main():
    options = common.arguments()
    common.print_header(f"NumPy {np.__version__}")
    for n in options.sizes:
        x = np.random.Generator(np.random.PCG64(2)).random(n, dtype=np.float32) * 2 - 1
        copied = np.zeros_like(x)
        for keep_prob in common.KEEP_PROBS:
            right = common.checked(np, cases(x, keep_prob), x, keep_prob)
            common.compare(right, lambda: np.copyto(copied, x), n, keep_prob, options)


if __name__ == "__main__":
    main()
