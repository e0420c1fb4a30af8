#!/usr/bin/env python3
"""Every header compiles alone: each is parsed by itself, with the flags of the build but not its
precompiled header.

    tools/headers_alone.py [--build build/release] [--all] [--jobs N]

Only headers that changed since they last passed are parsed (they, or a header of ours that they
include); --all parses every one. What passed is remembered in BUILD/headers_alone.json.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

from tree import ROOT, tree

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.MULTILINE)


def build_flags(build: pathlib.Path) -> tuple[str, list[str]]:
    """The compiler, and the flags that decide how a header is read, out of compile_commands.json.

    All of our code is compiled alike, except for include directories, so those of all are joined.
    """
    compiler, kept, directories = "", [], []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])
        while "=" in words[0] or pathlib.Path(words[0]).name in ("cmake", "ccache", "env", "-E"):
            words.pop(0)
        while words and not re.search(r"(clang\+\+|g\+\+|c\+\+)(-\d+)?$", words[0]):
            words.pop(0)
        for place, word in enumerate(words):
            if word.startswith("-I"):
                directories.append(word)
            elif word == "-isystem":
                directories.append(word + words[place + 1])
        if not compiler:
            compiler = words[0]
            kept = [w for w in words if re.match(r"-(std=|D|W(?!inv|l,|p,)|f(no-)?strict|m)", w)]
    kept += ["-Wno-pragma-once-outside-header", "-Wno-unused-const-variable"]
    return compiler, kept + [d.replace("-isystem", "-I") for d in dict.fromkeys(directories)]


class Closure:
    """A digest of a header and of everything of ours that it includes."""

    def __init__(self, flags: list[str]) -> None:
        self.paths = [pathlib.Path(f[2:]) for f in flags if f.startswith("-I")]
        self.paths = [p for p in self.paths if ROOT in p.parents or p == ROOT]
        self.texts: dict[pathlib.Path, tuple[str, list[pathlib.Path]]] = {}
        self.salt = " ".join(flags)

    def read(self, path: pathlib.Path) -> tuple[str, list[pathlib.Path]]:
        if path not in self.texts:
            text = path.read_text(errors="replace")
            found = []
            for name in INCLUDE.findall(text):
                places = [directory / name for directory in (path.parent, *self.paths)]
                found += [place for place in places if place.is_file()][:1]
            self.texts[path] = (hashlib.sha256(text.encode()).hexdigest(), found)
        return self.texts[path]

    def digest(self, path: pathlib.Path) -> str:
        seen, todo = set(), [path]
        while todo:
            here = todo.pop()
            if here not in seen:
                seen.add(here)
                todo += self.read(here)[1]
        parts = sorted(self.read(p)[0] for p in seen)
        return hashlib.sha256((self.salt + " ".join(parts)).encode()).hexdigest()


def parse(compiler: str, flags: list[str], name: str) -> tuple[str, float, str]:
    start = time.monotonic()
    done = subprocess.run(
        [compiler, *flags, "-fsyntax-only", "-x", "c++", name],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    trouble = ""
    if done.returncode != 0:
        trouble = done.stderr or f"{name}: the compiler ended with {done.returncode}"
    return name, time.monotonic() - start, trouble


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--build", default="build/release", type=pathlib.Path)
    arguments.add_argument("--all", action="store_true")
    arguments.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    options = arguments.parse_args()
    build = ROOT / options.build
    compiler, flags = build_flags(build)
    closure = Closure(flags)
    memory = build / "headers_alone.json"
    passed = json.loads(memory.read_text()) if memory.exists() and not options.all else {}
    digests = {name: closure.digest(ROOT / name) for name in tree("*.h")}
    todo = [name for name, digest in digests.items() if passed.get(name) != digest]
    failed = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, _, trouble in pool.map(lambda n: parse(compiler, flags, n), todo):
            if trouble:
                failed.append(name)
                print(f"{name}: does not compile alone\n{trouble}")
    passed = {name: digest for name, digest in digests.items() if name not in failed}
    memory.write_text(json.dumps(passed, indent=0, sort_keys=True))
    print(f"headers alone: {len(digests)} headers, {len(todo)} parsed, {len(failed)} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
