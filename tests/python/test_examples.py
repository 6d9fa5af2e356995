"""The examples of src/python/README.md do what they say."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent / "examples"
SAYS = {
    "numpy_dropout": ["True", "0.899 kept, 0 left where dropped"],
    "numpy_mlp": ["step 50: 100 % right"],
}


@pytest.mark.parametrize("name", SAYS)
def test_example(name, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / f"{name}.py"))
    assert capsys.readouterr().out.splitlines() == SAYS[name]
