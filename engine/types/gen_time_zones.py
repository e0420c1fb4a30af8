#!/usr/bin/env python3
"""Packs the machine's tzdata into a C++ table: gen_time_zones.py ZONEINFO_FOLDER OUTPUT.cpp

One entry a zone name, sorted without regard to case, with the version 2 part of its TZif file [RFC 8536] (64-bit
transitions and the POSIX rule for the years after them). Names that mean the same zone share the bytes.
"""
import pathlib
import sys

SKIP = {"posix", "right", "localtime", "posixrules", "Factory"}


def zones(root):
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.split("/")[0] in SKIP or not path.is_file():
            continue
        data = path.read_bytes()
        if data[:4] == b"TZif" and data[4:5] >= b"2":
            yield name, data[len_of_v1(data):]


def len_of_v1(data):
    isutc, isstd, leap, times, types, chars = (int.from_bytes(data[20 + 4 * i:24 + 4 * i], "big") for i in range(6))
    return 44 + times * 5 + types * 6 + chars + leap * 8 + isstd + isutc


def literal(data):
    out, line = [], ""
    for byte in data:
        line += "\\%03o" % byte
        if len(line) > 92:
            out.append(f'    "{line}"')
            line = ""
    out.append(f'    "{line}"')
    return "\n".join(out)


def main():
    root, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    table = sorted(zones(root), key=lambda zone: zone[0].lower())
    if len(table) < 300:
        sys.exit(f"{root}: {len(table)} time zones found; is tzdata installed?")
    numbers = {}
    for _, data in table:
        numbers.setdefault(data, len(numbers))
    lines = ["// Made by gen_time_zones.py from tzdata.", '#include "types/time_zone_table.h"', "", "namespace orrery {",
             "namespace {"]
    for data, number in numbers.items():
        lines.append(f"constexpr char kZone{number}[] =\n{literal(data)};")
    lines += ["constexpr ZoneEntry kZones[] = {"]
    lines += [f'    {{"{name}", {{kZone{numbers[data]}, {len(data)}}}}},' for name, data in table]
    lines += ["};", "}  // namespace", "", "std::span<const ZoneEntry> zone_table() { return kZones; }", "",
              "}  // namespace orrery", ""]
    text = "\n".join(lines)
    if not output.exists() or output.read_text() != text:
        output.write_text(text)


if __name__ == "__main__":
    main()
