#!/usr/bin/env python3
"""Formats the C++ of the tree: clang-format-19 with .clang-format, and comment paragraphs that have
grown too wide are wrapped again (tables, code and lists in comments stay as drawn).

    tools/format.py [FILE...]            name the files that are not formatted; exit 1 if any
    tools/format.py --fix [FILE...]      format them
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys
import textwrap

from tree import ROOT, tree

COLUMNS = 100
CLANG_FORMAT = "clang-format-19"


def wrap_paragraph(indent: str, lines: list[str]) -> list[str]:
    if all(len(indent) + 3 + len(line) <= COLUMNS for line in lines):
        return [f"{indent}// {line}" for line in lines]
    return textwrap.wrap(
        " ".join(lines),
        COLUMNS,
        initial_indent=f"{indent}// ",
        subsequent_indent=f"{indent}// ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def wrap_comments(text: str) -> str:
    """Joins and wraps each run of plain `// text` lines in which a line is too wide."""
    out: list[str] = []
    indent, paragraph = "", []
    for line in text.split("\n") + [""]:
        match = re.match(r"( *)// (\S.*)$", line)
        plain = match and not re.match(r"[-*|+\d]+[. |-]", match[2]) and "   " not in match[2]
        if paragraph and not (plain and match[1] == indent):
            out += wrap_paragraph(indent, paragraph)
            paragraph = []
        if plain:
            indent = match[1]
            paragraph.append(match[2])
        else:
            out.append(line)
    return "\n".join(out[:-1])


def formatted(path: pathlib.Path) -> str:
    text = wrap_comments(path.read_text())
    return subprocess.run(
        [CLANG_FORMAT, f"--assume-filename={path}"],
        input=text,
        text=True,
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout


def main() -> int:
    fix = "--fix" in sys.argv
    names = [a for a in sys.argv[1:] if not a.startswith("-")] or tree("*.h", "*.cpp")
    paths = [ROOT / name for name in names]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        wanted = list(pool.map(formatted, paths))
    off = [
        (name, path, text)
        for name, path, text in zip(names, paths, wanted)
        if path.read_text() != text
    ]
    for name, path, text in off:
        print(f"{name}: {'formatted' if fix else 'not formatted: run tools/format.py --fix'}")
        if fix:
            path.write_text(text)
    if not off:
        print("format: ok")
    return bool(off) and not fix


if __name__ == "__main__":
    sys.exit(main())
