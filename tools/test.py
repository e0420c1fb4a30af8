#!/usr/bin/env python3
"""./orrery test: every check and test of the tree, counted. Last line: `N passed, N failed`.

    ./orrery test          the checks on the text, clang's release and GCC's debug build with their
                           tests, the simulator's sample, the regression smoke
    ./orrery test --all    also clang-tidy on what changed, other builds, sanitizers and the zoo

A check counts as one; so do each case of a test program and each seed of a sweep. What the
tree does not hold yet is left out and said so.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
JOBS = os.cpu_count() or 2
SAMPLE_SEEDS, SWEEP_SEEDS, ZOO_SEEDS = "1..20", "1..300", "60"
SHOWN_LINES = 60
TOOL_TESTS = ["-m", "unittest", "discover", "-p", "*_test.py", "-s"]


class Tally:
    """Counts, and tells of each thing as it ends."""

    def __init__(self) -> None:
        self.passed = self.failed = 0
        self.failures: list[str] = []

    def add(self, name: str, ok: bool, seconds: float, output: str = "", note: str = "") -> bool:
        self.count(name, ok)
        told = f"{'ok' if ok else 'FAIL':4}  {name}  {seconds:.1f} s{'  ' + note if note else ''}"
        print(told, flush=True)
        if not ok:
            lines = output.rstrip().split("\n")
            if len(lines) > SHOWN_LINES:
                print(f"      ... {len(lines) - SHOWN_LINES} lines before")
            print("\n".join("      " + line for line in lines[-SHOWN_LINES:]), flush=True)
        return ok

    def count(self, name: str, ok: bool) -> None:
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            self.failures.append(name)

    def left_out(self, name: str, why: str) -> None:
        print(f"--    {name}: left out, {why}", flush=True)


def run(
    command: list[str], cwd: pathlib.Path = ROOT, timeout: float = 1800
) -> tuple[int, str, float]:
    """Exit code, both outputs together, and how long it took."""
    start = time.monotonic()
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        return done.returncode, done.stdout, time.monotonic() - start
    except subprocess.TimeoutExpired as late:
        said = late.stdout.decode(errors="replace") if late.stdout else ""
        return 124, f"{said}\nstill running after {timeout:.0f} s", time.monotonic() - start


def check(tally: Tally, name: str, command: list[str], timeout: float = 1800) -> bool:
    code, output, seconds = run(command, timeout=timeout)
    return tally.add(name, code == 0, seconds, output)


def build(tally: Tally, preset: str, *targets: str) -> bool:
    return check(tally, f"build {preset}", ["./orrery", "build", preset, *targets], 3600)


Cases = list[tuple[str, str]]  # a name, and what went wrong or nothing


def gtest_cases(report: pathlib.Path) -> tuple[Cases, Cases]:
    """The cases that ran, and those that said they cannot, with why."""
    cases, skipped = [], []
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.get("result") == "skipped":
            why = [s.get("message", "") for s in case.findall("skipped")]
            skipped.append((name, " ".join(why).strip() or "skipped"))
        elif case.get("status") == "run":
            wrong = "\n".join(f.get("message", "") for f in case.findall("failure"))
            cases.append((name, wrong))
    return cases, skipped


def run_test_program(preset: str, test: dict) -> tuple[str, float, Cases, Cases]:
    name = f"{preset} {test['name']}"
    report = ROOT / "build" / preset / f"test_{test['name']}.xml"
    report.unlink(missing_ok=True)
    properties = {p["name"]: p["value"] for p in test.get("properties", [])}
    directory = pathlib.Path(properties.get("WORKING_DIRECTORY", ROOT))
    if not test["command"][0].endswith("_test"):  # a check of another kind: one case
        code, output, seconds = run(test["command"], directory, 900)
        if code != 0 and code == properties.get("SKIP_RETURN_CODE"):
            return name, seconds, [], [(test["name"], output.strip())]
        wrong = (output or f"ended with {code}") if code else ""
        return name, seconds, [(test["name"], wrong)], []
    command = [*test["command"], "--gtest_color=no", f"--gtest_output=xml:{report}"]
    code, output, seconds = run(command, directory, 900)
    cases, skipped = [], []
    try:
        cases, skipped = gtest_cases(report)
    except (OSError, xml.etree.ElementTree.ParseError):
        pass
    cases += program_case(test["name"], code, output, cases, skipped)
    return name, seconds, cases, skipped


def program_case(name: str, code: int, output: str, cases: Cases, skipped: Cases) -> Cases:
    """The program itself as a case, where its end says what no case of its own does."""
    if code != 0 and not any(wrong for _, wrong in cases):
        return [(f"{name} (the program)", f"ended with {code}\n{output}")]
    if not cases and not skipped:
        return [(f"{name} (the program)", f"reported no case\n{output}")]
    return []


def unit_tests(tally: Tally, preset: str) -> None:
    code, output, _ = run(["ctest", "--show-only=json-v1"], ROOT / "build" / preset)
    tests = json.loads(output)["tests"] if code == 0 else []
    if not tests:
        tally.add(f"{preset} unit tests", False, 0, output or "there are none")
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for name, seconds, cases, skipped in pool.map(lambda t: run_test_program(preset, t), tests):
            wrong = [(case, text) for case, text in cases if text]
            for case, text in cases:
                tally.count(f"{name}: {case}", not text)
            told = f"{len(cases)} cases" + (f", {len(wrong)} failed" if wrong else "")
            for case, why in skipped:
                tally.left_out(f"{name}: {case}", why)
            print(f"{'FAIL' if wrong else 'ok':4}  {name}  {seconds:.1f} s  {told}", flush=True)
            for case, text in wrong:
                print(f"      {case}")
                print("\n".join("        " + line for line in text.split("\n")[-SHOWN_LINES:]))


def slowest_units(preset: str) -> None:
    """The ten translation units that took longest when they were last compiled."""
    log = ROOT / "build" / preset / ".ninja_log"
    times: dict[str, int] = {}
    for line in log.read_text().splitlines():
        fields = line.split("\t")
        if len(fields) == 5 and fields[3].endswith(".o"):
            times[fields[3]] = int(fields[1]) - int(fields[0])
    print(f"slowest translation units of {preset} (cached ones count as they came):")
    for name, ms in sorted(times.items(), key=lambda item: -item[1])[:10]:
        print(f"  {ms / 1000:6.1f} s  {name.split('.dir/')[-1][:-2]}")


def sweep(
    tally: Tally, name: str, preset: str, seeds: str, tag: str
) -> tuple[bool, dict[int, dict]]:
    """Runs seeds; a record for each. Every seed counts."""
    file = ROOT / "build" / preset / f"seeds_{tag}.jsonl"
    file.unlink(missing_ok=True)
    program = str(ROOT / "build" / preset / "orrery_sim")
    command = [program, "run", "--seeds", seeds, "--jobs", str(JOBS), "--jsonl", str(file)]
    code, output, seconds = run(command)
    lines = file.read_text().splitlines() if file.exists() else []
    records = {r["seed"]: r for r in map(json.loads, lines) if "seed" in r}
    low, high = map(int, seeds.split(".."))
    missing = [seed for seed in range(low, high + 1) if seed not in records]
    for seed in range(low, high + 1):
        record = records.get(seed, {"verdict": "no record"})
        tally.count(f"{name}: seed {seed}: {record['verdict']}", record["verdict"] == "ok")
    verdicts = collections.Counter(r["verdict"] for r in records.values())
    note = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    good = code == 0 and not missing and set(verdicts) == {"ok"}
    tally.add(name, good, seconds, f"exit code {code}, {len(missing)} missing\n{output}", note)
    return good, records


def same_hashes(tally: Tally, name: str, one: dict[int, dict], two: dict[int, dict]) -> None:
    differ = [s for s in sorted(one) if one[s].get("hash") != two.get(s, {}).get("hash")]
    hollow = [s for s in sorted(one) if not one[s].get("hash")]
    ok = bool(one) and not differ and not hollow
    text = f"seeds that differ: {differ}; seeds without a hash: {hollow}"
    tally.add(name, ok, 0, text, f"{len(one)} seeds")


def simulator(tally: Tally, presets: list[str]) -> None:
    if not (ROOT / "sim").exists():
        tally.left_out("simulator", "sim/ is not in this tree")
        return
    first = sweep(tally, "sim sample", "release", SAMPLE_SEEDS, "sample_1")[1]
    again = sweep(tally, "sim sample, again", "release", SAMPLE_SEEDS, "sample_2")[1]
    same_hashes(tally, "determinism: two runs", first, again)
    for preset in presets:
        other = sweep(tally, f"sim sample, {preset}", preset, SAMPLE_SEEDS, "sample")[1]
        same_hashes(tally, f"determinism: release and {preset}", first, other)
    sweep(tally, "sim sweep", "release", SWEEP_SEEDS, "sweep")


def plants_in_sources(listed: set[str], engine: pathlib.Path = ROOT / "engine") -> tuple:
    """The check that plants.def and the switches in the engine name the same bugs."""
    sources = (path.read_text() for path in engine.rglob("*.cpp"))
    planted = {name for text in sources for name in re.findall(r"\bPLANTED\((\w+)\)", text)}
    wrong = sorted(f"{name} is nowhere planted" for name in listed - planted)
    wrong += sorted(f"{name} is not in plants.def" for name in planted - listed)
    return "every listed bug is planted", not wrong, 0, "\n".join(wrong)


def zoo(tally: Tally) -> None:
    """The zoo build's canary must fail, a planted bug be found, a mutant without effect not; the
    engine's sources plant exactly the listed ones, and the release build holds none of them."""
    plants = re.findall(r"^PLANT\((\w+),", (ROOT / "sim/zoo/plants.def").read_text(), re.MULTILINE)
    held = (ROOT / "build/release/orrery_sim").read_bytes()
    found = [name for name in plants if name.encode() in held]
    tally.add("release holds no planted bug", bool(plants) and not found, 0, " ".join(found))
    tally.add(*plants_in_sources(set(plants)))
    if not build(tally, "zoo", "orrery_sim"):
        return
    for name in ("canary_log_not_written", "b01_ack_before_flush", "eq2_early_wakeup"):
        program = [str(ROOT / "build/zoo/orrery_sim"), "zoo", "--workload", "sql"]
        check(tally, f"zoo: {name}", [*program, "--only", name, "--seeds", ZOO_SEEDS])


def regress(tally: Tally) -> None:
    if not list((ROOT / "engine" / "main").glob("*_main.cpp")):
        tally.left_out("regress", "there is no server in this tree yet")
        return
    for name, words in (
        ("regress, own scripts", ["--suite", "regress/own", "--out", "build/regress_own"]),
        ("regress, smoke", ["--smoke", "--out", "build/regress_smoke"]),
    ):
        code, output, seconds = run(["./orrery", "regress", *words])
        last = output.strip().split("\n")[-1]
        if code == 77:
            tally.left_out(name, last)
        else:
            tally.add(name, code == 0, seconds, output, last)


def wire(tally: Tally) -> None:
    code, output, seconds = run([sys.executable, "regress/wire.py"])
    tally.add("regress, wire scripts", code == 0, seconds, output, output.strip().split("\n")[-1])


def text_checks(tally: Tally) -> None:
    for name, command in (
        ("format", ["tools/format.py"]),
        ("layers", ["engine/check_layers.py"]),
        ("tidy", ["tools/tidy.py"]),
        ("tests of the tools", TOOL_TESTS + ["tools"]),
        ("tests of regress", TOOL_TESTS + ["regress"]),
    ):
        check(tally, name, [sys.executable, *command])


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--all", action="store_true")
    options = arguments.parse_args()
    start = time.monotonic()
    tally = Tally()
    text_checks(tally)
    if build(tally, "release"):
        slowest_units("release")
        check(tally, "headers alone", [sys.executable, "tools/headers_alone.py"])
        check(tally, "writable globals", [sys.executable, "tools/writable_globals.py"])
        unit_tests(tally, "release")
    others = ["gcc-debug"] + (["debug", "gcc", "asan", "tsan"] if options.all else [])
    built = [preset for preset in others if build(tally, preset)]
    for preset in built:
        unit_tests(tally, preset)
    if options.all:
        check(tally, "clang-tidy", [sys.executable, "tools/clang_tidy.py"], 3600)
    simulator(tally, built)
    if options.all:
        zoo(tally)
    regress(tally)
    wire(tally)
    print(f"{time.monotonic() - start:.0f} s")
    for name in tally.failures:
        print(f"failed: {name}")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
