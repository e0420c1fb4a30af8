#!/usr/bin/env python3
"""The house's own checks on its text: what no compiler looks at. A second at most.

    tools/tidy.py            check every file of the tree
    tools/tidy.py --shrink   also rewrite tools/tidy_allow.txt where it has shrunk
    tools/tidy.py --rules    list the rules

A line may be excused by a comment on it or on the line above: `tidy: allow(RULE) why`.
tools/tidy_allow.txt bears what a file has too much of: its greatest length, or how often it breaks
another rule. Entries may shrink and go, not grow.
"""

import bisect
import collections
import re
import sys

from tree import ROOT, tree

ALLOW_FILE = ROOT / "tools" / "tidy_allow.txt"
LINE_COLUMNS, FUNCTION_LINES, FILE_LINES, PAGE_LINES = 100, 70, 1000, 40

RULES = {
    "try-place": "TRY is a statement, the whole initialiser of a variable, or what return returns",
    "try-braces": "never TRY inside a braced initialiser: g++ 12 leaks what was built before it",
    "word": "a keyword or name the house does without",
    "call": "a call into the C library that sees the clock, the environment, files or chance",
    "header": "an #include that this folder may not have",
    "enum-default": "a switch over an enum has no default: the compiler names a forgotten case",
    "unordered": "unordered containers hide an order: use base/hash_map.h",
    "by-address": "nothing is ordered, hashed or printed by address",
    "line-length": f"at most {LINE_COLUMNS} columns",
    "function-length": f"at most {FUNCTION_LINES} lines",
    "file-length": f"at most {FILE_LINES} lines",
    "pragma-once": "a header says #pragma once",
    "own-header": "a .cpp file includes its own header first",
    "todo": "TODO needs an issue number (#12), FIXME stays off main",
    "title": "a Markdown file has one # title, on its first line",
    "page-length": f"a README below the root and a decision has at most {PAGE_LINES} lines",
    "readme": "every folder of engine/ that holds code has a README.md",
    "decision-name": "a decision is called NNNN-title.md",
    "paper": "a paper that is cited has its page papers/key.md",
    "allow": "tools/tidy_allow.txt names what is no longer there or no longer long",
}

COUNTED = ("try-place", "enum-default")  # borne by number; lengths are borne by the greatest

BLANK = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)
EXCUSE = re.compile(r"tidy: allow\(([\w-]+)\) \S")
PAPER = re.compile(r"\[([A-Z][A-Za-z]+\d\d[a-z]?)(?: [^\]\n]*)?\]")
NOTE = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\s*\(?#\d)")

EXCEPTIONS = re.compile(r"\b(throw|try|catch)\b")
WORDS = re.compile(
    r"\b(shared_ptr|weak_ptr|make_shared|dynamic_cast|co_await|co_yield|co_return|thread_local|"
    r"assert|new(?!\s*\()|(?<!= )(?<!=)delete)\b"
)
HEADER_WORDS = re.compile(r"\bstd::function\b|\busing namespace\b|\bnamespace detail\b")
CALLS = re.compile(
    r"\b(?:getenv|setenv|srand|gettimeofday|clock_gettime|localtime(?:_r)?|gmtime(?:_r)?|setlocale|"
    r"fopen|freopen|tmpfile|usleep|nanosleep|getpid|getrandom|pthread_\w+|"
    r"std::(?:rand|time|clock|system|remove|rename|printf|puts|cout|cerr)|printf)\s*\("
)
WORLD = re.compile(
    r"^(sys/|arpa/|netinet/|linux/|(unistd|fcntl|poll|pthread|signal|time|dirent|netdb|"
    r"sched|dlfcn|liburing|termios|pwd|spawn)\.h$|(ctime|chrono|thread|mutex|atomic|"
    r"shared_mutex|condition_variable|future|random|stop_token|semaphore|latch|"
    r"barrier|csignal|locale|clocale)$)"
)
HEAVY = re.compile(r"^(iostream|ostream|istream|iomanip|regex|format|coroutine)$")
FILES = re.compile(r"^(fstream|filesystem|sstream)$")
HEADER_HEAVY = re.compile(
    r"^(range/v3/|boost/context/|openssl/|arrow/|parquet/|fmt/|ranges$|sstream$)"
)
UNORDERED = re.compile(r"\b(?:std|boost)::unordered_\w+")
BY_ADDRESS = re.compile(
    r"\bstd::(?:map|set|multimap|multiset|hash|less|greater)<\s*"
    r"(?:const\s+)?[\w:]+\s*(?:const\s*)?\*"
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^>"\n]+)[>"]', re.MULTILINE)


def blank(text: str) -> str:
    """The code alone: comments and literals become blanks, so that places stay true."""

    def hide(match: re.Match) -> str:
        piece = match[0]
        if piece[0] in "\"'R":
            return '"' + re.sub(r"[^\n]", " ", piece[1:-1]) + '"'
        return re.sub(r"[^\n]", " ", piece)

    return BLANK.sub(hide, text)


class File:
    """One file: its text, its code without comments and literals, and where its lines start."""

    def __init__(self, name: str) -> None:
        self.take(name, (ROOT / name).read_text(errors="replace"))

    def take(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        self.parts = name.split("/")
        self.is_header = name.endswith(".h")
        self.is_cpp = self.is_header or name.endswith(".cpp")
        self.is_test = (
            name.endswith("_test.cpp") or "testing" in self.parts or "test_" in self.parts[-1]
        )
        self.is_engine = self.parts[0] == "engine"
        self.folder = self.parts[1] if self.is_engine and len(self.parts) > 2 else self.parts[0]
        self.lines = self.text.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.code = blank(self.text) if self.is_cpp else ""
        if self.is_cpp:  # directives (with their continued lines) are not statements
            self.statements = re.sub(
                r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
                lambda m: re.sub(r"[^\n]", " ", m[0]),
                self.code,
                flags=re.MULTILINE,
            )

    def line_of(self, place: int) -> int:
        return bisect.bisect_right(self.starts, place)


class Report:
    def __init__(self) -> None:
        self.faults: list[tuple[str, int, str, str]] = []
        self.measured: dict[tuple[str, str], int] = collections.Counter()

    def add(self, file: File, line: int, rule: str, text: str) -> None:
        for near in (line, line - 1):
            if 0 < near <= len(file.lines):
                match = EXCUSE.search(file.lines[near - 1])
                if match and match[1] == rule:
                    return
        self.faults.append((file.name, line, rule, text))
        if rule in COUNTED:
            self.measured[rule, file.name] += 1

    def length(self, file: File, rule: str, measured: int) -> None:
        self.measured[rule, file.name] = max(self.measured[rule, file.name], measured)


def closing(code: str, place: int) -> int:
    """The place of the parenthesis that closes the one at `place`."""
    depth = 0
    for match in re.compile(r"[()]").finditer(code, place):
        depth += 1 if match[0] == "(" else -1
        if depth == 0:
            return match.start()
    return len(code) - 1


def opens_initialiser(code: str, place: int) -> bool:
    """Whether the innermost brace around `place` opens an initialiser, not a block."""
    depth, stop = 0, max(0, place - 4000)
    for at in range(place - 1, stop, -1):
        if code[at] == "}":
            depth += 1
        elif code[at] == "{":
            if depth == 0:
                before = code[max(0, at - 60) : at].rstrip()
                ends_a_head = re.search(
                    r"(\)|\belse|\bdo|\bconst|\bnoexcept|\boverride|\bfinal|\bmutable|[;{}:&]|\])$",
                    before,
                )
                returns = re.search(
                    r"(->\s*[\w:<>*&, ]+|\b(namespace|struct|class)\b[^;]*)$", before
                )
                return not ends_a_head and not returns and before != ""
            depth -= 1
        elif code[at] == ";" and depth == 0:
            return False
    return False


def check_try(file: File, report: Report) -> None:
    code = file.statements
    for match in re.finditer(r"\bTRY\(", code):
        line = file.line_of(match.start())
        if opens_initialiser(code, match.start()):
            report.add(file, line, "try-braces", "give it a variable before the braces")
            continue
        before = code[max(0, match.start() - 200) : match.start()].rstrip()
        after = code[closing(code, match.end() - 1) + 1 :][:200].lstrip()[:1]
        starts = before[-1:] in ("", ";", "{", "}", ")", ":", "=")
        starts = starts or re.search(r"\b(return|else|do)$", before)
        if re.search(r"(==|<=|>=|!=|::)$", before) or after != ";" or not starts:
            report.add(file, line, "try-place", "TRY inside another expression")


def check_words(file: File, report: Report) -> None:
    def each(pattern: re.Pattern, rule: str, why: str, code: str = file.statements) -> None:
        for match in pattern.finditer(code):
            report.add(file, file.line_of(match.start()), rule, f"{match[0].strip(' (')}: {why}")

    if file.folder not in ("fiber", "os", "sim") and not file.is_test:
        each(EXCEPTIONS, "word", "errors are values here")
    (
        each(UNORDERED, "unordered", "use base/hash_map.h")
        if file.name != "engine/base/hash_map.h"
        else None
    )
    each(BY_ADDRESS, "by-address", "an address differs from run to run")
    if file.is_test:
        return
    each(WORDS, "word", "see the house style")
    if file.is_header:
        each(HEADER_WORDS, "word", "not in a header")
    if (
        file.folder != "os"
        and file.name != "engine/base/check.cpp"
        and file.is_engine
        and not file.name.endswith("_main.cpp")
    ):
        each(CALLS, "call", "ask the host")


def check_includes(file: File, report: Report) -> None:
    includes = [(m.start(2), m[1], m[2]) for m in INCLUDE.finditer(file.text)]
    inside = file.is_engine and file.folder not in ("os", "main")
    for place, kind, name in includes:
        line = file.line_of(place)
        if inside and WORLD.match(name):
            report.add(file, line, "header", f"<{name}>: only os sees clock, threads and system")
        if inside and not file.is_test and FILES.match(name):
            report.add(file, line, "header", f"<{name}>: files are the host's")
        if HEAVY.match(name) and file.is_engine:
            report.add(file, line, "header", f"<{name}>: the house does without")
        if file.is_header and file.is_engine and HEADER_HEAVY.match(name):
            report.add(file, line, "header", f"<{name}>: not in a header, it is slow to compile")
    if file.is_header and not re.search(r"^#pragma once$", file.text, re.MULTILINE):
        report.add(file, 1, "pragma-once", "no #pragma once")
    own = "/".join(file.parts[1:] if file.is_engine else file.parts)[:-4] + ".h"
    exists = (ROOT / file.name).with_suffix(".h").exists()
    if (
        file.name.endswith(".cpp")
        and exists
        and includes
        and (includes[0][1], includes[0][2]) != ('"', own)
    ):
        report.add(file, file.line_of(includes[0][0]), "own-header", f'"{own}" comes first')


def check_blocks(file: File, report: Report) -> None:
    """Walks the braces: measures functions, and finds `default:` in switches over enumerators."""
    code = file.statements
    stack: list[tuple[str, int, list[str]]] = []  # kind, line where its head starts, case labels
    head_start = 0
    token = re.compile(r"[{};]|\bcase\b([^:;{}]*(?:::[^:;{}]*)*):|\bdefault\s*:")
    for match in token.finditer(code):
        text = match[0]
        if text == ";":
            head_start = match.end()
        elif text == "{":
            head = code[head_start : match.start()].strip()
            outer = stack[-1][0] if stack else "scope"
            if re.search(r"\bswitch\s*\(", head):
                kind = "switch"
            elif re.match(r"(inline\s+)?namespace\b|extern\s+\"", head) or (
                re.match(r"(template\s*<.*>\s*)?(class|struct|union|enum)\b", head, re.DOTALL)
                and not head.endswith(")")
            ):
                kind = "scope"
            elif outer == "scope" and not re.search(r"(?<![=!<>])=\s*$|=\s*\w[\w:<>]*$", head):
                kind = "function"
            else:
                kind = "block"
            leading = len(code[head_start : match.start()]) - len(
                code[head_start : match.start()].lstrip()
            )
            stack.append((kind, file.line_of(head_start + leading), []))
            head_start = match.end()
        elif text == "}":
            head_start = match.end()
            if stack:
                kind, line, labels = stack.pop()
                length = file.line_of(match.start()) - line + 1
                if kind == "function" and length > FUNCTION_LINES:
                    report.length(file, "function-length", length)
                    report.add(file, line, "function-length", f"{length} lines")
        elif text.startswith("case"):
            if stack:
                stack[-1][2].append(match[1].strip())
            head_start = match.end()
        else:
            labels = next((s[2] for s in reversed(stack) if s[0] == "switch"), [])
            # Tokens (kw_, tok_) are an open set: a parser's default is its syntax error.
            if any(
                re.fullmatch(r"(?:\w+::)+[a-z]\w*|(?!kw_|tok_)[a-z]\w*", label) for label in labels
            ):
                report.add(file, file.line_of(match.start()), "enum-default", "name the cases")
            head_start = match.end()


def check_text(file: File, report: Report) -> None:
    is_source = file.is_cpp or file.name.endswith(".py")
    if is_source:
        for number, line in enumerate(file.lines, 1):
            if len(line) > LINE_COLUMNS:
                report.length(file, "line-length", len(line))
                report.add(file, number, "line-length", f"{len(line)} columns")
        if len(file.lines) - 1 > FILE_LINES:
            report.length(file, "file-length", len(file.lines) - 1)
            report.add(file, 1, "file-length", f"{len(file.lines) - 1} lines")
    if file.folder != "tools":
        for match in NOTE.finditer(file.text):
            if match[1] != "XXX":
                report.add(file, file.line_of(match.start()), "todo", match[1])
    if file.is_cpp or file.name.endswith(".md"):
        for match in PAPER.finditer(file.text):
            if not (ROOT / "papers" / f"{match[1].lower()}.md").exists():
                report.add(
                    file,
                    file.line_of(match.start()),
                    "paper",
                    f"papers/{match[1].lower()}.md is missing",
                )


def check_markdown(file: File, report: Report) -> None:
    body = re.sub(
        r"^```.*?^```", lambda m: "\n" * m[0].count("\n"), file.text, flags=re.MULTILINE | re.DOTALL
    )
    titles = [n for n, line in enumerate(body.split("\n"), 1) if line.startswith("# ")]
    if titles != [1]:
        report.add(
            file,
            titles[-1] if titles else 1,
            "title",
            f"{len(titles)} titles" if len(titles) != 1 else "not first",
        )
    lines = len(file.lines) - 1
    decision = "decisions" in file.parts[:-1]
    if (decision or file.parts[-1] == "README.md") and len(file.parts) > 1 and lines > PAGE_LINES:
        if file.name != "engine/README.md":
            report.add(file, lines, "page-length", f"{lines} lines")
    if (
        decision
        and not re.match(r"\d{4}-[a-z0-9-]+\.md$", file.parts[-1])
        and file.parts[-1] != "README.md"
    ):
        report.add(file, 1, "decision-name", file.parts[-1])


def check_file(file: File, report: Report) -> None:
    check_text(file, report)
    if file.is_cpp:
        check_try(file, report)
        check_words(file, report)
        check_includes(file, report)
        check_blocks(file, report)
    elif file.name.endswith(".md"):
        check_markdown(file, report)


def check_all() -> Report:
    report = Report()
    names = tree()
    for name in names:
        if (
            not name.endswith((".h", ".cpp", ".def", ".py", ".md", ".txt", ".cmake", ".sh", ".in"))
            or "/testdata/" in name
        ):
            continue
        check_file(File(name), report)
    for folder in sorted(
        {n.split("/")[1] for n in names if re.match(r"engine/\w+/.*\.(cpp|h)$", n)}
    ):
        if f"engine/{folder}/README.md" not in names:
            report.faults.append((f"engine/{folder}", 0, "readme", "README.md is missing"))
    return report


def read_allowed() -> dict[tuple[str, str], int]:
    allowed = {}
    for line in ALLOW_FILE.read_text().splitlines():
        if line and not line.startswith("#"):
            rule, name, limit = line.split()
            allowed[rule, name] = int(limit)
    return allowed


def apply_allowed(report: Report, shrink: bool) -> None:
    """Takes out what tools/tidy_allow.txt bears; names its entries that are needed no more."""
    allowed, measured = read_allowed(), report.measured
    borne = {key for key, limit in allowed.items() if 0 < measured[key] <= limit}
    report.faults = [fault for fault in report.faults if (fault[2], fault[0]) not in borne]
    if shrink:
        head = [line for line in ALLOW_FILE.read_text().splitlines() if line.startswith("#")]
        kept = sorted((key, min(limit, measured[key])) for key, limit in allowed.items())
        lines = [f"{rule} {name} {limit}" for (rule, name), limit in kept if limit]
        ALLOW_FILE.write_text("\n".join(head + lines) + "\n")
        return
    for rule, name in allowed:
        if not measured[rule, name]:
            text = f"{rule} {name}: needed no more, run tools/tidy.py --shrink"
            report.faults.append(("tools/tidy_allow.txt", 0, "allow", text))


def main() -> int:
    if "--rules" in sys.argv:
        print("\n".join(f"{name:16} {text}" for name, text in RULES.items()))
        return 0
    report = check_all()
    apply_allowed(report, "--shrink" in sys.argv)
    for name, line, rule, text in sorted(report.faults):
        print(f"{name}:{line}: {rule}: {text}" if line else f"{name}: {rule}: {text}")
    if report.faults:
        counts = collections.Counter(rule for _, _, rule, _ in report.faults)
        print("tidy: " + ", ".join(f"{count} {rule}" for rule, count in counts.most_common()))
    else:
        print("tidy: ok")
    return bool(report.faults)


if __name__ == "__main__":
    sys.exit(main())
