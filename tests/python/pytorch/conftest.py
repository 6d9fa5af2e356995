"""For all tests of simdrop.torch."""

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def compiled_graphs_of_this_run(tmp_path_factory):
    """Those that are kept elsewhere may hold operators of another version of simdrop."""
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(tmp_path_factory.mktemp("inductor"))
