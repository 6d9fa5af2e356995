"""run.py LIBRARY NUMPY|TORCH: the tests of the Python package, from the sources, on this library.

Without NumPy, PyTorch or pytest the test is skipped (CTest's exit code 77).
"""

import importlib.util
import os
import sys
from pathlib import Path

tests = Path(__file__).resolve().parent
library, part = sys.argv[1:]
needed = ["pytest", "numpy"] + (["torch"] if part == "torch" else [])
missing = [name for name in needed if importlib.util.find_spec(name) is None]
if missing:
    print(f"skipped: {sys.executable} has no {', '.join(missing)}")
    sys.exit(77)

sources = str(tests.parents[1] / "src" / "python")
sys.path.insert(0, sources)  # and for the processes that tests start:
os.environ["PYTHONPATH"] = os.pathsep.join([sources, *filter(None, [os.environ.get("PYTHONPATH")])])
os.environ["SIMDROP_LIBRARY"] = library

import pytest  # noqa: E402

chosen = [str(tests / "pytorch")] if part == "torch" else [str(tests),
                                                         f"--ignore={tests / 'pytorch'}"]
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *chosen]))
