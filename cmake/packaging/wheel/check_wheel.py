"""check_wheel.py WHEEL: what a wheel of simdrop must be, or an error that says what it is not."""

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

MOST_BYTES = 2_000_000
# The C and the maths library, the loader, and in glibc before 2.34 threads.
SYSTEM = r"lib(c|m|pthread)\.so\.6|libpthread\.so\.0|ld-linux.*"
# What is loaded beside PyTorch has its C++ runtime.
OF_PYTORCH = r"libsimdrop\.so|libstdc\+\+\.so\.6|libgcc_s\.so\.1"
NEEDED = {"simdrop/libsimdrop.so": SYSTEM,
          "simdrop/libsimdrop_torch.so": f"{SYSTEM}|{OF_PYTORCH}"}

wheel = Path(sys.argv[1])
problems = []
if not re.fullmatch(r"simdrop-[0-9.]+-py3-none-linux_\w+\.whl", wheel.name):
    problems.append(f"its name is {wheel.name}; allowed: simdrop-VERSION-py3-none-linux_...")
if wheel.stat().st_size > MOST_BYTES:
    problems.append(f"it has {wheel.stat().st_size} bytes; allowed: {MOST_BYTES}")

with tempfile.TemporaryDirectory() as folder:
    zipfile.ZipFile(wheel).extractall(folder)
    files = sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*")
                   if path.is_file())
    libraries = [name for name in files if ".so" in name]
    if libraries != list(NEEDED):
        problems.append(f"its libraries are {libraries}")
    for name in ("simdrop/py.typed", "simdrop/torch/__init__.py"):
        if name not in files:
            problems.append(f"it lacks {name}")
    for library in set(libraries) & NEEDED.keys():
        dynamic = subprocess.run(["readelf", "-d", f"{folder}/{library}"], check=True,
                                 capture_output=True, text=True).stdout
        for needed in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
            if not re.fullmatch(NEEDED[library], needed):
                problems.append(f"{library} needs {needed}")

for problem in problems:
    print(f"{wheel}: {problem}", file=sys.stderr)
print(f"{wheel.name}: {wheel.stat().st_size} bytes, {len(files)} files")
sys.exit(1 if problems else 0)
