#!/usr/bin/env python3
"""check_layers.py FOLDER: fails unless the files below FOLDER include what FOLDER/README.md allows.

The page has one line of a table for each room, | `room` | what it holds | `a`, `b/c.h` |, and the
last column is what its files may include beside their own room's: the headers that lie directly in
another room, or one header by its name. Headers of `simdrop/` are public: every room may.
Files may not include each other in a circle either; a header and the source that is named as it are
one there.
"""
import pathlib
import re
import sys

ROW = re.compile(r"^\| `([^`]+)` \|.*\|([^|]*)\|$", re.MULTILINE)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


def read_page(text):
    """{room: what it may include}"""
    return {room: set(re.findall("`([^`]+)`", allowed)) for room, allowed in ROW.findall(text)}


def room_of(path, rooms):
    """The innermost room that `path` lies in, or None."""
    parents = [str(parent) for parent in pathlib.PurePosixPath(path).parents]
    return next((parent for parent in parents if parent in rooms), None)


def check_include(path, included, rooms):
    """What is wrong with it, or None."""
    room, other = room_of(path, rooms), room_of(included, rooms)
    if other is None:
        return f"includes {included}, which lies in no room of the page"
    if room == other or included in rooms[room]:
        return None
    if other not in rooms[room]:
        return f"includes {included}: the page does not let {room} include {other}"
    if str(pathlib.PurePosixPath(included).parent) != other:
        return f"includes {included}, which is private to {other}"
    return None


def find_circle(graph):
    """Nodes that lead from the first one back to it, or []."""
    done = set()

    def visit(node, trail):
        if node in trail:
            return trail[trail.index(node):] + [node]
        if node not in done:
            for after in sorted(graph.get(node, ())):
                circle = visit(after, trail + [node])
                if circle:
                    return circle
            done.add(node)
        return []

    for node in sorted(graph):
        circle = visit(node, [])
        if circle:
            return circle
    return []


def check(folder):
    rooms = read_page((folder / "README.md").read_text())
    errors = [] if rooms else ["README.md: no line of it names a room"]
    for name in {name for allowed in rooms.values() for name in allowed} | set(rooms):
        if not (folder / name).exists():
            errors.append(f"README.md: there is no {name}")
    graph = {}
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder).as_posix()
        if file.suffix not in (".h", ".cpp", ".inc"):
            continue
        if room_of(path, rooms) is None:
            errors.append(f"{path} lies in no room of the page")
            continue
        for included in INCLUDE.findall(file.read_text()):
            if included.startswith("simdrop/"):
                continue
            if not (folder / included).exists():
                errors.append(f"{path}: includes {included}, which is no path from {folder.name}")
                continue
            error = check_include(path, included, rooms)
            if error:
                errors.append(f"{path}: {error}")
            unit, other = path.rpartition(".")[0], included.rpartition(".")[0]
            if unit != other:
                graph.setdefault(unit, set()).add(other)
    circle = find_circle(graph)
    if circle:
        errors.append("a circle of includes: " + " -> ".join(circle))
    return errors, len(rooms), len(graph)


def main():
    errors, rooms, units = check(pathlib.Path(sys.argv[1]).resolve())
    for error in errors:
        print(f"check_layers: {error}", file=sys.stderr)
    if not errors:
        print(f"{units} units in {rooms} rooms, all as the page says")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
