#!/usr/bin/env python3
"""No state outside objects: two nodes live in one process, so engine/ and sim/ hold no writable
globals, file statics or function statics. Looks at the symbols of the built libraries.

    tools/writable_globals.py [--build build/release]

tools/globals_allow.txt names the few that are borne: LIBRARY SYMBOL, and why.
"""

import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALLOW_FILE = ROOT / "tools" / "globals_allow.txt"
# Written by the loader only: tables of addresses.
CONSTANT = re.compile(r"^\.(data\.rel\.ro|init_array|fini_array)")
# What the command-line library keeps for itself, by the beginning of its names.
COMMAND_LINE = re.compile(r"^(guard variable for )?CLI::")
WRITABLE = re.compile(r"^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)")


def writable_symbols(library: pathlib.Path) -> list[tuple[str, str]]:
    """(object file, symbol) for each defined object that stands in a writable section."""
    listed = subprocess.run(
        ["nm", "-C", "--defined-only", "--format=sysv", str(library)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found, member = [], ""
    for line in listed.splitlines():
        match = re.match(r"Symbols from .*\[(.*)\]:$", line)
        if match:
            member = match[1]
            continue
        fields = line.rsplit("|", 6)
        if len(fields) != 7 or fields[3].strip() not in ("OBJECT", "TLS", "COMMON"):
            continue
        symbol, section = fields[0].strip(), fields[6].strip()
        is_command_line = library.stem == "liborrery_main" and COMMAND_LINE.match(symbol)
        # DW.ref: the compiler's way to a shared routine.
        ours = not symbol.startswith("DW.ref.") and not is_command_line
        if ours and WRITABLE.match(section) and not CONSTANT.match(section):
            found.append((member, symbol))
    return found


def read_allowed() -> dict[tuple[str, str], str]:
    allowed = {}
    for line in ALLOW_FILE.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            library, rest = line.split(None, 1)
            symbol, _, why = rest.partition("  # ")
            allowed[library, symbol.strip()] = why
    return allowed


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--build", default="build/release", type=pathlib.Path)
    build = ROOT / arguments.parse_args().build
    libraries = sorted(build.glob("liborrery_*.a"))
    if not libraries:
        print(f"writable globals: no liborrery_*.a in {build}: build first")
        return 2
    allowed, used, faults = read_allowed(), set(), 0
    for library in libraries:
        for member, symbol in writable_symbols(library):
            if (library.stem, symbol) in allowed:
                used.add((library.stem, symbol))
            else:
                faults += 1
                print(f"{library.stem}: {member}: {symbol} is writable state")
    for library, symbol in sorted(set(allowed) - used):
        if any(path.stem == library for path in libraries):
            faults += 1
            print(f"tools/globals_allow.txt: {library} {symbol}: needed no more")
    print(f"writable globals: {len(libraries)} libraries, {len(used)} allowed, {faults} faults")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
