"""The examples with PyTorch of src/python/README.md do what they say."""

import re
import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
SAYS = {
    "torch_drop_in": r"Sequential\(\n.*\(2\): Dropout\(p=0.5, inplace=False\)\n.*\)\n",
    "torch_seeds": r"True\n(True True\n){3}True\n",
    "torch_patched": r"a step +ms +adds\nwithout dropout .*\nPyTorch's .*\nsimdrop's .*\nmedian.*\n",
}


@pytest.mark.parametrize("name", SAYS)
def test_example(name, capsys):
    runpy.run_path(str(EXAMPLES / f"{name}.py"))
    assert re.fullmatch(SAYS[name], capsys.readouterr().out, re.DOTALL)
