"""Judges a folder that walrus.Export wrote: PyTorch must read walrus.pt with
weights_only=True, directly and mapped into memory, as the state dict of the golden set's
tiny_walrus.pt: the same names in the same order, the same types, shapes and bits.

    python judge.py FOLDER GOLDEN > judged.json
"""

import hashlib
import json
import os
import sys
import zipfile

import torch

folder, golden = sys.argv[1:]
path = os.path.join(folder, "walrus.pt")
want = torch.load(os.path.join(golden, "tiny_walrus.pt"), map_location="cpu", weights_only=True)["app"]["model"]
for mmap in (False, True):
    tree = torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    assert type(tree) is dict and list(tree) == ["app"] and list(tree["app"]) == ["model"], tree.keys()
    got = tree["app"]["model"]
    assert list(got) == list(want), "names"
    for name, x in want.items():
        y = got[name]
        assert y.dtype == x.dtype and y.shape == x.shape and y.is_contiguous(), name
        assert torch.equal(x.view(torch.int32), y.view(torch.int32)), name

# strict=True, into a module that has a parameter of every name and shape.
module = torch.nn.Module()
for name, x in want.items():
    at = module
    *parents, leaf = name.split(".")
    for part in parents:
        if not hasattr(at, part):
            at.add_module(part, torch.nn.Module())
        at = getattr(at, part)
    at.register_parameter(leaf, torch.nn.Parameter(torch.zeros_like(x)))
report = module.load_state_dict(got, strict=True)
assert not report.missing_keys and not report.unexpected_keys, report

content = hashlib.sha256()
with zipfile.ZipFile(path) as z:
    assert z.testzip() is None
    for name in sorted(z.namelist()):
        content.update(f"{name} {hashlib.sha256(z.read(name)).hexdigest()}\n".encode())
print(json.dumps({"torch": torch.__version__, "tensors": len(got), "content": content.hexdigest()}))
