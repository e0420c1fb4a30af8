"""Holds what psql printed against what is expected, as pg_regress does (diff -w, the best of the
variants NAME.out, NAME_0.out ... NAME_9.out), and statement by statement.

A statement's answer is what stands between the echo of the line it ends on and the echo of the next
line. The figure that counts is of statements whose expected answer is not empty: a server that
accepts everything and answers nothing has none of those. Where several statements end on one line
their answers cannot be told apart; the last of them carries the answer of all.
"""

import dataclasses
import difflib
import hashlib
import re

import script as psql_script


@dataclasses.dataclass
class Verdict:
    """How one statement did."""

    text: str
    line: int
    has_output: bool  # an answer is expected
    matched: bool
    expected: list[str]
    actual: list[str] | None  # None: psql did not come so far


@dataclasses.dataclass
class Score:
    passed: bool
    variant: str  # the expected file it was held against
    verdicts: list[Verdict]
    diff: str

    def count(self, **wanted: bool) -> int:
        return sum(all(getattr(v, k) == w for k, w in wanted.items()) for v in self.verdicts)


def squeeze(lines: list[str]) -> list[str]:
    """diff -w: white space within a line does not count."""
    return [re.sub(r"\s+", "", line) for line in lines]


def segments(script: psql_script.Script, anywhere: bool) -> list[tuple[int, list[str]]]:
    """The echoed lines in runs, each ending on a line after which output may stand: (that line's
    number, the run). The last run may be one that ends the script without an answer (number 0)."""
    ends = {statement.last_line for statement in script.statements}
    runs, run = [], []
    for number, text in script.echoed():
        run.append(text.rstrip())
        if anywhere or number in ends:
            runs.append((number, run))
            run = []
    return runs + ([(0, run)] if run else [])


def place_runs(runs: list[tuple[int, list[str]]], lines: list[str]) -> list[int]:
    """Where each run stands in `lines`: as many as can be placed, the first at 0, in order. The
    earliest place is tried first, and given up only when what follows cannot be placed."""
    index: dict[str, list[int]] = {}
    for place, line in enumerate(lines):
        index.setdefault(line, []).append(place)

    def candidates(number: int, start: int):
        run = runs[number][1]
        for place in index.get(run[0], []):
            if place < start or (number == 0 and place > 0):
                continue
            if lines[place : place + len(run)] == run:
                last = number == len(runs) - 1 and runs[number][0] == 0
                if not last or place + len(run) == len(lines):
                    yield place

    if not runs:
        return []
    best: list[int] = []
    placed: list[int] = []
    hopeless: set[tuple[int, int]] = set()
    stack = [(0, candidates(0, 0))]
    while stack:
        start, left = stack[-1]
        del placed[len(stack) - 1 :]
        for place in left:
            number, after = len(stack), place + len(runs[len(stack) - 1][1])
            if (number, after) in hopeless:
                continue
            placed.append(place)
            if len(placed) > len(best):
                best = list(placed)
            if number == len(runs):
                return best
            stack.append((after, candidates(number, after)))
            break
        else:
            hopeless.add((len(stack) - 1, start))
            stack.pop()
    return best


def unjoin(script: psql_script.Script, output: str) -> str:
    r"""Ends the line that \echo -n left open, so that the next echo has a line of its own."""
    echoed = dict(script.echoed())
    for statement in script.statements:
        if statement.is_command and re.match(r"\\q?echo\s+-n\s", statement.text):
            following = next((echoed[n] for n in sorted(echoed) if n > statement.last_line), "")
            pattern = re.compile("^(.+)(" + re.escape(following) + ")$", re.MULTILINE)
            output = pattern.sub(r"\1\n\2", output, count=1) if following else output
    return output


def answers(script: psql_script.Script, output: str) -> dict[int, list[str]]:
    """The output after each line of the script; a line psql did not come to is not there."""
    lines = [line.rstrip() for line in unjoin(script, output).split("\n")]
    if lines and lines[-1] == "":
        lines.pop()
    runs = segments(script, anywhere=False)
    placed = place_runs(runs, lines)
    if len(placed) < len(runs):
        loose = segments(script, anywhere=True)
        loosely = place_runs(loose, lines)
        if loosely and loose[len(loosely) - 1][0] > (runs[len(placed) - 1][0] if placed else 0):
            runs, placed = loose, loosely
    found = {}
    for number, place in enumerate(placed):
        start = place + len(runs[number][1])
        end = placed[number + 1] if number + 1 < len(placed) else len(lines)
        found[runs[number][0]] = lines[start:end]
    return found


def statement_key(text: str) -> str:
    return hashlib.sha1(text.encode(errors="surrogateescape")).hexdigest()[:10]


def judge(
    script: psql_script.Script,
    expected: dict[int, list[str]],
    actual: dict[int, list[str]],
    alternates: dict[tuple[int, str], list[str]],
) -> list[Verdict]:
    verdicts = []
    for place, statement in enumerate(script.statements):
        line = statement.last_line
        if line not in expected:
            continue  # this variant ends earlier (\quit)
        following = script.statements[place + 1 : place + 2]
        is_last = not following or following[0].last_line != line
        wanted, got = expected[line], actual.get(line)
        right = got is not None and squeeze(got) == squeeze(wanted)
        other = alternates.get((line, statement_key(statement.text)))
        if not right and other is not None and got is not None:
            right = squeeze(got) == squeeze(other)
        verdicts.append(Verdict(statement.text, line, is_last and bool(wanted), right, wanted, got))
    return verdicts


def score(text: str, variants: dict[str, str], output: str, alternates: list[dict]) -> Score:
    """`variants` by file name; `alternates` those of this test, as in alternates.json."""
    others = {(a["line"], a["key"]): a["block"] for a in alternates}
    best: Score | None = None
    for name, wanted in variants.items():
        script = psql_script.split(text, wanted)
        expected, actual = answers(script, wanted), answers(script, output)
        verdicts = judge(script, expected, actual, others)
        same = squeeze(output.split("\n")) == squeeze(wanted.split("\n"))
        ends_alike = not actual.keys() - expected.keys()
        passed = same or (ends_alike and bool(verdicts) and all(v.matched for v in verdicts))
        diff = "" if same else diff_text(name, wanted, output)
        found = Score(passed, name, verdicts, diff)
        if best is None or rank(found) > rank(best):
            best = found
    assert best is not None
    return best


def rank(found: Score) -> tuple[bool, int, int]:
    return found.passed, found.count(matched=True, has_output=True), -found.diff.count("\n")


def diff_text(name: str, wanted: str, output: str) -> str:
    one, two = wanted.split("\n"), output.split("\n")
    matcher = difflib.SequenceMatcher(None, squeeze(one), squeeze(two), autojunk=False)
    if len(one) + len(two) > 4000:  # quadratic in the worst case
        matcher = difflib.SequenceMatcher(None, squeeze(one), squeeze(two), autojunk=True)
    lines = []
    for group in matcher.get_grouped_opcodes(3):
        first, last = group[0], group[-1]
        lines.append(
            f"@@ -{first[1] + 1},{last[2] - first[1]} +{first[3] + 1},{last[4] - first[3]} @@"
        )
        for kind, i, j, k, l in group:
            if kind == "equal":
                lines += [" " + line for line in one[i:j]]
            else:
                lines += ["-" + line for line in one[i:j]] + ["+" + line for line in two[k:l]]
    return f"--- {name}\n+++ results\n" + "\n".join(lines) + "\n" if lines else ""
