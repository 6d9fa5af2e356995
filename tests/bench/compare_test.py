#!/usr/bin/env python3
"""bench/compare.py on files whose ratios are known."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
COMPARE = HERE.parents[1] / "bench" / "compare.py"
RUNS = [HERE / f"{side}_{run}.json" for run in (1, 2, 3) for side in ("old", "new")]


def compare(*arguments):
    """Exit status, standard output, standard error."""
    done = subprocess.run(
        [sys.executable, "-B", str(COMPARE), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def section(text, title):
    """The lines from the one that starts with title to the next empty one."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(title):
            break
    else:
        return []
    found = []
    for line in lines:
        if not line:
            break
        found.append(line.split())
    return found


class Pairs(unittest.TestCase):
    def test_ratios_and_noise(self):
        status, out, _ = compare(*RUNS)
        self.assertEqual(status, 0)
        rows = {row[0]: row[1:] for row in section(out, "benchmark")}
        self.assertEqual(
            rows,
            {
                "adam/f32/avx2/1024": ["100", "ns", "110", "ns", "1.100", "2.0%"],
                "bernoulli_mask/bit/avx2/1024/0.5": ["2", "us", "1", "us", "0.500", "0.0%"],
                "memcpy/f32/libc/1024": ["100", "ns", "105", "ns", "1.050", "20.0%"],
            },
        )
        # (1.1 * 0.5 * 1.05)^(1/3)
        self.assertIn("geometric mean of 3 ratios new / old: 0.8328 (", out)

    def test_what_is_beyond_noise(self):
        _, out, _ = compare(*RUNS)
        self.assertEqual(
            [row[0] for row in section(out, "slower, beyond noise")], ["adam/f32/avx2/1024"]
        )
        self.assertEqual(
            [row[0] for row in section(out, "faster, beyond noise")],
            ["bernoulli_mask/bit/avx2/1024/0.5"],
        )

    def test_names_of_one_side(self):
        _, out, _ = compare(*RUNS)
        self.assertEqual(section(out, "only in old: 1"), [["add_bias/f32/avx2/1024"]])
        self.assertEqual(section(out, "only in new: 1"), [["few_rows_1/f32/avx2/1024"]])

    def test_name_of_one_run(self):
        _, out, _ = compare(*RUNS[:3], HERE / "aggregates.json")
        self.assertIn(["memcpy/f32/libc/1024"], section(out, "not in every run: 2"))

    def test_max_slower(self):
        # 10 % slower, of which 2 % are noise.
        status, out, _ = compare("--max-slower", "7", *RUNS)
        self.assertEqual(status, 1)
        self.assertIn("TOO SLOW: adam/f32/avx2/1024 by 10.0%, noise 2.0%", out)
        self.assertEqual(compare("--max-slower", "9", *RUNS)[0], 0)
        self.assertEqual(compare("--max-slower", "7", "--filter", "^memcpy", *RUNS)[0], 0)

    def test_summary(self):
        _, out, _ = compare("--summary", *RUNS)
        self.assertNotIn("memcpy", out)

    def test_same_file(self):
        status, out, _ = compare("--max-slower", "0", RUNS[0], RUNS[0])
        self.assertEqual(status, 0)
        self.assertIn("noise unknown: 4", out)
        self.assertIn("geometric mean of 4 ratios new / old: 1.0000\n", out)


class Formats(unittest.TestCase):
    def rows(self, *arguments):
        status, out, error = compare(*arguments)
        self.assertEqual((status, error), (0, ""))
        return section(out, "benchmark")

    def test_repetitions(self):
        # Interquartile range 99 ... 102, of 100; and 1.35 standard deviations of 1.6, of 120.
        self.assertEqual(
            self.rows(HERE / "repeated.json", HERE / "aggregates.json"),
            [["adam/f32/avx2/1024", "100", "ns", "120", "ns", "1.200", "3.0%"]],
        )
        aggregates = HERE / "aggregates.json"
        self.assertEqual(self.rows(aggregates, aggregates)[0][-1], "1.8%")

    def test_least_repetition(self):
        repeated = HERE / "repeated.json"
        row = self.rows("--statistic", "min", repeated, repeated)[0]
        self.assertEqual(row[1:5], ["98", "ns", "98", "ns"])

    def test_cpu_time(self):
        row = self.rows("--clock", "cpu_time", "--filter", "^adam", RUNS[0], RUNS[1])[0]
        self.assertEqual(row[1:5], ["50", "ns", "55", "ns"])

    def test_other_programs(self):
        def quartiles(low, middle, high):
            return {"lower_quartile": low, "median": middle, "upper_quartile": high}

        setting = {"width": 256, "batch": 32, "keep_prob": 0.5, "unit": "neuron"}
        times = {"none_ms": quartiles(1.9, 2.0, 2.2), "dropout_ms": quartiles(1.0, 1.0, 1.0)}
        overhead = {"rows": [setting | times]}
        step = {"case": "64-10, 8", "threads": 1, "who": "simdrop", "variant": "none"}
        steps = {"medians": [step | {"seconds": 0.5}]}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "run.json"
            path.write_text(json.dumps(overhead), encoding="utf-8")
            self.assertEqual(
                self.rows(path, path),
                [
                    ["step_dropout/neuron/256/32/0.5", "1", "ms", "1", "ms", "1.000", "0.0%"],
                    ["step_none/neuron/256/32/0.5", "2", "ms", "2", "ms", "1.000", "15.0%"],
                ],
            )
            path.write_text(json.dumps(steps), encoding="utf-8")
            self.assertEqual(self.rows(path, path)[0][-2:], ["1.000", "-"])

    def test_disturbed_run(self):
        step = {"case": "64-10, 8", "threads": 1, "who": "simdrop", "variant": "none"}
        steps = {"medians": [step | {"seconds": 0.5}]}
        for disturbed in (True, False):
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "run.json"
                path.write_text(json.dumps(steps | {"disturbed": disturbed}), encoding="utf-8")
                status, out, _ = compare(path, path)
            self.assertEqual(status, 0)
            self.assertEqual("run.json: the machine was busy" in out, disturbed)


class Faults(unittest.TestCase):
    def refused(self, text, words):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "bad.json"
            path.write_text(text, encoding="utf-8")
            status, out, error = compare(RUNS[0], path)
        self.assertEqual((status, out), (2, ""))
        self.assertIn(f"compare.py: {path}: {words}", error)
        self.assertNotIn("Traceback", error)

    def test_bad_files(self):
        self.refused("", "is not JSON")
        self.refused("name,iterations\n", "is not JSON")
        self.refused("[]", "is no output of a benchmark")
        self.refused("3", "is no output of a benchmark")
        self.refused("{}", "is no output of a benchmark")
        self.refused('{"benchmarks": [{"name": "a"}]}', "is no output of a benchmark")
        self.refused('{"benchmarks": [{"name": "a", "real_time": "1"}]}', "is no output")
        self.refused('{"benchmarks": []}', "has no benchmarks")
        self.refused('{"benchmarks": [{"name": "a", "real_time": 0}]}', "a took 0 ns")

    def test_numbers_that_are_none(self):
        row = (
            '{"rows": [{"width": 256, "batch": 32, "keep_prob": 0.5, "unit": "neuron", "none_ms": '
            '{"lower_quartile": %s, "median": %s, "upper_quartile": 2}, "dropout_ms": '
            '{"lower_quartile": 1, "median": 1, "upper_quartile": 1}}]}'
        )
        name = "step_none/neuron/256/32/0.5"
        self.refused(row % (1, "null"), "is no output of a benchmark")
        self.refused(row % (1, "NaN"), f"{name} took nan ns")
        self.refused(row % (1, "Infinity"), f"{name} took inf ns")
        self.refused(row % ("null", 2), "is no output of a benchmark")
        self.refused(row % ("NaN", 2), f"the noise of {name} is nan")

    def test_missing_file(self):
        status, _, error = compare(RUNS[0], HERE / "missing.json")
        self.assertEqual(status, 2)
        self.assertIn("missing.json: No such file or directory", error)

    def test_nothing_in_common(self):
        status, _, error = compare("--filter", "nothing", *RUNS)
        self.assertEqual(status, 2)
        self.assertIn("no benchmark is in all files and wanted", error)

    def test_arguments(self):
        self.assertIn("files come in pairs", compare(RUNS[0])[2])
        self.assertIn("--filter", compare("--filter", "(", *RUNS)[2])


if __name__ == "__main__":
    unittest.main()
