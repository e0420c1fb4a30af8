#!/usr/bin/env python3
"""Holds engine/ to engine/LAYERS: fails when an #include points where its folder may not look.

The rules, by the name that a report carries:
  unknown    a folder that engine/LAYERS does not list
  upward     the folder included stands on a later line, or beside this one on the same line
  narrowed   LAYERS narrows this folder to a few others, and the one included is not among them
  real-os    engine/os is included by a folder other than engine/main
  internal   foo_internal.h belongs to its own folder
  outside    engine/ includes a folder beside it (sim, bench, ...)
  by-folder  an include in quotes does not start with a folder ("wal/log.h")
"""

import pathlib
import re
import sys

ENGINE = pathlib.Path(__file__).resolve().parent
# The folders beside engine/ that may include it; True: they may start the real host (by main).
BESIDE = {"sim": False, "fuzz": False, "bench": True, "pyapi": True}
SOURCE = {".h", ".cpp"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


class Layers:
    """What engine/LAYERS says: the line each folder stands on, and what some are narrowed to."""

    def __init__(self, text: str) -> None:
        self.line: dict[str, int] = {}
        self.narrowed: dict[str, list[str]] = {}
        for number, line in enumerate(text.splitlines()):
            for name, only in re.findall(r"(\w+)(?:\(([^)]*)\))?", line.split("#")[0]):
                self.line[name] = number
                if only:
                    self.narrowed[name] = only.split()

    def fault(self, here: str, there: str, file: str) -> str:
        """Why the folder `here` may not include `there/file`; empty when it may."""
        if here == there:
            return ""
        if there in BESIDE:
            return f"outside: engine/{here} includes {there}/" if here in self.line else ""
        for name in (here, there):
            if name not in self.line and name not in BESIDE:
                return f"unknown: {name} is not in engine/LAYERS"
        if file.endswith("_internal.h"):
            return f"internal: {there}/{file} belongs to {there} alone"
        if here in BESIDE:
            if there == "os":
                return "real-os: only engine/main may include os"
            return (
                "upward: only bench and pyapi reach main"
                if there == "main" and not BESIDE[here]
                else ""
            )
        if there == "os" and here != "main":
            return "real-os: only engine/main may include os"
        if self.line[there] > self.line[here]:
            return f"upward: {there} stands above {here} in engine/LAYERS"
        if self.line[there] == self.line[here]:
            return f"upward: {there} and {here} are siblings in engine/LAYERS"
        if there not in self.narrowed.get(here, self.line):
            return f"narrowed: {here} may use only {', '.join(self.narrowed[here])}"
        return ""


def faults(root: pathlib.Path) -> list[str]:
    layers = Layers((root / "engine" / "LAYERS").read_text())
    found = []
    for top in ("engine", *BESIDE):
        for path in sorted(p for p in (root / top).rglob("*") if p.suffix in SOURCE):
            parts = path.relative_to(root).parts
            here = parts[1] if top == "engine" else top
            text = path.read_text(errors="replace")
            for match in INCLUDE.finditer(text):
                there, _, file = match[1].partition("/")
                why = layers.fault(here, there, file) if file else "by-folder: write the folder too"
                if why:
                    number = text.count("\n", 0, match.start(1)) + 1
                    found.append(f"{'/'.join(parts)}:{number}: includes \"{match[1]}\": {why}")
    for folder in sorted(p for p in (root / "engine").iterdir() if p.is_dir()):
        if folder.name not in layers.line and any(p.suffix in SOURCE for p in folder.rglob("*")):
            found.append(f"engine/{folder.name}: unknown: not in engine/LAYERS")
    return found


if __name__ == "__main__":
    report = faults(ENGINE.parent)
    print("\n".join(report) or "layers: ok")
    sys.exit(bool(report))
