"""Sequential, replace_, advance, checkpoints, forks, and several ranks."""

import copy
import multiprocessing.pool
import os
import subprocess
import sys

import numpy
import oracle
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import (CheckpointPolicy, checkpoint,
                                    create_selective_checkpoint_contexts)

import simdrop.torch as S


def layers(dropout=nn.Dropout):
    return [nn.Linear(20, 64), nn.ReLU(), dropout(0.5), nn.Linear(64, 64), nn.ReLU(), dropout(0.2),
            nn.Linear(64, 3)]


def textbook(model, x, seed):
    """What model computes, from its parts; layers are streams 1 and 2."""
    x = oracle.dropout(torch.relu(model[0](x)), 0.5, seed, 1)
    x = oracle.dropout(torch.relu(model[3](x)), 0.2, seed, 2)
    return model[6](x)


# A sum of 64 products is off by 64 roundings of its magnitude at most; three layers of them here.
CLOSE = {"rtol": 3 * 64 * 2**-23, "atol": 3 * 64 * 2**-23}


@pytest.mark.parametrize("make", [
    lambda: nn.Sequential(*layers(S.Dropout)),
    lambda: S.Sequential(*layers()),
    lambda: S.replace_(nn.Sequential(*layers())),
], ids=["Dropout", "Sequential", "replace_"])
def test_models_are_the_textbooks(make):
    model, x = make(), torch.randn(8, 20)
    for seed in (1, 2):
        assert S.advance(model, seed) == seed
        torch.testing.assert_close(model(x), textbook(model, x, seed), **CLOSE)
        ours = torch.autograd.grad(model(x).square().sum(), model.parameters())
        theirs = torch.autograd.grad(textbook(model, x, seed).square().sum(), model.parameters())
        for a, b in zip(ours, theirs):
            torch.testing.assert_close(a, b, rtol=CLOSE["rtol"],
                                       atol=CLOSE["atol"] * float(b.abs().max() + 1))
    model.eval()
    torch.testing.assert_close(model(x), nn.Sequential(*model)(x), rtol=0, atol=0)


def test_sequential_has_the_same_children_and_state():
    plain = nn.Sequential(*layers())
    ours = S.Sequential(*plain)
    assert list(ours) == list(plain)
    assert ours.state_dict().keys() == plain.state_dict().keys()
    ours.load_state_dict(plain.state_dict())
    calls = []
    ours[1].register_forward_hook(lambda *_: calls.append("relu"))
    ours[2].register_full_backward_hook(lambda *_: calls.append("dropout"))
    ours(torch.randn(4, 20)).sum().backward()
    assert calls == ["relu", "dropout"]


def test_what_follows_may_work_in_place():
    model = S.replace_(nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Dropout(0.5)))
    x = torch.randn(3, 4)
    y = model(x)
    y += x  # a residual
    y.sum().backward()
    model = S.Sequential(*layers()[:3], nn.Hardtanh(inplace=True))
    model(torch.randn(3, 20)).sum().backward()


@pytest.mark.parametrize("following", [
    [nn.Flatten(), nn.ReLU(inplace=True)], [nn.Identity(), nn.ReLU(inplace=True)],
    [nn.Unflatten(1, (2, 2)), nn.SELU(inplace=True)], [nn.Dropout(0.0), nn.ReLU(inplace=True)],
], ids=["Flatten", "Identity", "Unflatten", "Dropout"])
def test_what_hands_its_input_on_may_be_followed_by_work_in_place(following):
    model = S.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Dropout(), *following)
    model(torch.randn(3, 4)).sum().backward()


def test_an_alias_of_the_product_is_not_written():
    class Log(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            y = function(*args, **(kwargs or {}))
            if function is nn.functional.linear:
                kept.append((y.detach(), y.detach().clone()))
            return y

    kept = []
    with Log():
        S.LinearReLUDropout(4, 4)(torch.randn(3, 4))
    assert torch.equal(*kept[0])


def test_a_changed_forward_is_called(monkeypatch):
    calls = []
    original = nn.Linear.forward
    monkeypatch.setattr(nn.Linear, "forward", lambda s, x: calls.append(s) or original(s, x))
    S.Sequential(*layers())(torch.randn(3, 20))
    assert len(calls) == 3


def test_sequential_runs_what_it_does_not_know():
    model = S.Sequential(nn.Flatten(), nn.Linear(20, 8), nn.LayerNorm(8), nn.ReLU(inplace=True),
                         nn.Dropout(0.5), nn.Dropout(0.5, inplace=True), nn.GELU())
    S.advance(model, 4)
    x = torch.randn(6, 4, 5)
    z = torch.relu(model[2](model[1](x.reshape(6, 20))))
    z = oracle.dropout(oracle.dropout(z, 0.5, 4, 1), 0.5, 4, 2)
    assert torch.equal(model(x), nn.functional.gelu(z))


def test_replace_keeps_the_modules():
    class Mine(nn.Dropout):
        pass

    model = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    model.extra = nn.ModuleDict({"mine": Mine(), "seq": nn.Sequential(nn.Dropout())})
    before = dict(model.named_modules())
    state = model.state_dict().keys()
    assert S.replace_(model) is model
    after = dict(model.named_modules())
    assert before == after and model.state_dict().keys() == state
    assert type(model.dropout) is S.Dropout and type(model.extra["mine"]) is Mine
    assert type(model.extra["seq"]) is S.Sequential
    model(torch.randn(2, 3, 16)).sum().backward()


def test_advance_draws_and_is_no_state():
    model = nn.Sequential(*layers(S.Dropout))
    state = copy.deepcopy(model.state_dict())
    torch.manual_seed(8)
    first, second = S.advance(model), S.advance(model)
    torch.manual_seed(8)
    assert (S.advance(model), S.advance(model)) == (first, second) and first != second
    x = torch.randn(8, 20)
    y = model(x)
    assert torch.equal(model(x), y)  # pure in the step
    S.advance(model, first)
    assert not torch.equal(model(x), y)
    S.advance(model, second)
    assert torch.equal(model(x), y)
    assert model.state_dict().keys() == state.keys()
    for seed in (2**64 - 1, -1):
        S.advance(model, seed)
        assert model[2]._key.tolist() == [-1, 0]
    for arguments in ({"seed": 2**64}, {"seed": 0, "first_row": -2**63 - 1}):
        with pytest.raises(ValueError, match="; allowed: -2\\*\\*63 to 2\\*\\*64-1"):
            S.advance(model, **arguments)


def test_what_is_not_ours_is_pytorchs_after_advance_too():
    model = S.Sequential(S.Dropout(0.5), nn.Dropout(0.5))
    S.advance(model, 1)
    assert model(torch.ones(50, device="meta")).is_meta


def test_advance_wants_layers_of_its_own_and_numbers():
    with pytest.raises(ValueError, match="model has nn.Dropout that PyTorch runs; allowed"):
        S.advance(nn.Sequential(nn.Dropout()), 1)
    layer = S.Dropout()
    for seed in (1.7, True, "1"):
        with pytest.raises(TypeError, match="seed is .*; allowed: a whole number"):
            S.advance(layer, seed)
    S.advance(layer, numpy.uint64(2**63 + 5))
    assert layer._key.tolist() == [-(2**63) + 5, 0]


def test_models_that_share_a_layer_have_keys_of_their_own():
    shared = nn.Sequential(S.Dropout())
    a, b = nn.Sequential(S.Dropout(), shared), nn.Sequential(shared, S.Dropout())
    S.advance(a, 1)
    S.advance(b, 2)
    assert a[0]._key.tolist() == [1, 0] and b[1]._key.tolist() == [2, 0]
    S.advance(a, 3)
    assert a[1][0]._key.tolist() == [3, 0] and b[1]._key.tolist() == [2, 0]


def test_a_split_batch_draws_the_whole_ones_masks():
    model = S.Sequential(*layers())
    x = torch.randn(12, 20)
    S.advance(model, 1)
    whole = model(x)
    for begin, end in ((0, 5), (5, 12)):
        S.advance(model, 1, first_row=begin)
        # PyTorch's product of fewer rows may add in another order.
        torch.testing.assert_close(model(x[begin:end]), whole[begin:end], **CLOSE)
    dropout, ones = S.Dropout(0.5), torch.ones(12, 20)
    S.advance(dropout, 1)
    whole = dropout(ones)
    S.advance(dropout, 1, first_row=5)
    assert torch.equal(dropout(ones[5:]), whole[5:])


@pytest.mark.parametrize("advanced", [True, False])
@pytest.mark.parametrize("way", ["reentrant", "not reentrant", "selective"])
def test_checkpoints(way, advanced):
    model, x = S.Sequential(*layers()), torch.randn(8, 20, requires_grad=True)
    if advanced:
        S.advance(model, 1)
    options = {"use_reentrant": way == "reentrant"}
    if way == "selective":
        options["context_fn"] = lambda: create_selective_checkpoint_contexts(
            lambda *_, **__: CheckpointPolicy.PREFER_RECOMPUTE)
    torch.manual_seed(6)
    plain = torch.autograd.grad(model(x).square().sum(), [*model.parameters()])
    torch.manual_seed(6)
    for parameter in model.parameters():
        parameter.grad = None
    checkpoint(model, x, **options).square().sum().backward()
    for parameter, gradient in zip(model.parameters(), plain):
        assert torch.equal(parameter.grad, gradient)


def _fork_once(x, expected):
    pid = os.fork()
    if pid == 0:
        ok = torch.equal(S.dropout(x, key=torch.tensor([1, 0])), expected)
        os._exit(0 if ok else 1)
    return os.waitpid(pid, 0)[1]


def test_a_thousand_forks():
    x = torch.randn(50, 1000)  # enough for several threads
    expected = S.dropout(x, key=torch.tensor([1, 0]))
    torch.set_num_threads(1)  # PyTorch's own threads do not survive a fork
    try:
        assert all(_fork_once(x, expected) == 0 for _ in range(1000))
    finally:
        torch.set_num_threads(os.cpu_count() or 1)


class _Data(torch.utils.data.Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, i):
        return S.dropout(torch.ones(100_000), key=torch.tensor([i, 0])), torch.get_num_threads()


def test_workers_of_a_data_loader():
    for i, (rows, threads) in enumerate(torch.utils.data.DataLoader(_Data(), num_workers=2)):
        assert threads.item() == 1
        assert torch.equal(rows[0], oracle.dropout(torch.ones(100_000), 0.5, i))


_RANK = """
import sys, torch, torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
import simdrop.torch as S
rank, path = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method=f"file://{path}/meet", rank=rank, world_size=4)
saved = torch.load(f"{path}/start.pt")
model = S.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 3))
model.load_state_dict(saved["model"])
parallel = DistributedDataParallel(model)
rows = slice(4 * rank, 4 * rank + 4)
for step in range(2):
    S.advance(model, step, first_row=4 * rank)
    y = parallel(saved["x"][rows])
    parallel.zero_grad()
    y.square().mean().backward()
torch.save([y.detach(), *(p.grad for p in model.parameters())], f"{path}/{rank}.pt")
dist.destroy_process_group()
"""


def test_four_ranks_draw_the_masks_of_one_process(tmp_path):
    model, x = S.Sequential(*(layers()[:3] + [nn.Linear(64, 3)])), torch.randn(16, 20)
    torch.save({"model": model.state_dict(), "x": x}, tmp_path / "start.pt")
    ranks = [subprocess.Popen([sys.executable, "-c", _RANK, str(rank), str(tmp_path)])
             for rank in range(4)]
    assert [rank.wait() for rank in ranks] == [0] * 4
    S.advance(model, 1)
    y = model(x)
    y.square().mean().backward()
    parts = [torch.load(tmp_path / f"{rank}.pt") for rank in range(4)]
    torch.testing.assert_close(torch.cat([part[0] for part in parts]), y, **CLOSE)
    for i, parameter in enumerate(model.parameters(), 1):
        # The mean of four ranks adds in another order: 16 terms.
        torch.testing.assert_close(parts[0][i], parameter.grad, rtol=16 * 2**-23,
                                   atol=16 * 2**-23 * float(parameter.grad.abs().max()))


def test_several_python_threads():
    x = torch.randn(40, 1000)
    expected = [oracle.dropout(x, 0.5, seed) for seed in range(8)]
    with multiprocessing.pool.ThreadPool(8) as pool:
        for _ in range(20):
            results = pool.map(lambda s: S.dropout(x, key=torch.tensor([s, 0])), range(8))
            assert all(torch.equal(a, b) for a, b in zip(results, expected))
