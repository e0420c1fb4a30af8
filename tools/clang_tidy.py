#!/usr/bin/env python3
"""clang-tidy-19 on the .cpp files that changed, and on those that include a changed header.

    tools/clang_tidy.py [--since REVISION] [--all] [--build build/release]

Since the point where the branch left main, or since the last commit when on main itself; changes
that are not committed count too.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

import headers_alone

ROOT = pathlib.Path(__file__).resolve().parent.parent


def git(*words: str) -> list[str]:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.split() if done.returncode == 0 else []


def default_revision() -> str:
    head = git("rev-parse", "HEAD")
    for main in ("origin/main", "main"):
        base = git("merge-base", "HEAD", main)
        if base and base != head:
            return base[0]
    return "HEAD~1"


def reaches(closure: headers_alone.Closure, path: pathlib.Path, changed: set[pathlib.Path]) -> bool:
    seen, todo = set(), [path]
    while todo:
        here = todo.pop()
        if here in changed:
            return True
        if here not in seen:
            seen.add(here)
            todo += closure.read(here)[1]
    return False


def tidy(build: pathlib.Path, path: pathlib.Path) -> tuple[pathlib.Path, str]:
    # The precompiled header is of no use to clang-tidy's own parser.
    done = subprocess.run(
        ["clang-tidy-19", "-p", str(build), "--quiet", "--warnings-as-errors=*", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return path, ""
    return path, done.stdout or done.stderr or f"{path}: clang-tidy ended with {done.returncode}"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--since", default="")
    arguments.add_argument("--all", action="store_true")
    arguments.add_argument("--build", default="build/release", type=pathlib.Path)
    options = arguments.parse_args()
    build = ROOT / options.build
    entries = json.loads((build / "compile_commands.json").read_text())
    sources = sorted(
        {pathlib.Path(e["file"]) for e in entries if f"{ROOT}/build/" not in e["file"]}
    )
    if not options.all:
        since = options.since or default_revision()
        names = git("diff", "--name-only", since) + git("ls-files", "-o", "--exclude-standard")
        changed = {ROOT / name for name in names}
        closure = headers_alone.Closure(headers_alone.build_flags(build)[1])
        sources = [path for path in sources if reaches(closure, path, changed)]
    faults = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for path, trouble in pool.map(lambda p: tidy(build, p), sources):
            if trouble:
                faults += 1
                print(trouble)
    print(f"clang-tidy: {len(sources)} files, {faults} with faults")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
