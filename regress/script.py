"""Splits a psql script as psql does: into statements and backslash commands, each with its lines.

psql -a echoes every line it reads, then prints what the statements that end on that line answer. So
the lines on which something ends are the places where output can stand. Data of COPY FROM STDIN is
read by psql but not echoed.
"""

import dataclasses
import re


@dataclasses.dataclass
class Statement:
    text: str  # without its semicolon
    first_line: int  # 1-based, of its first word
    last_line: int  # where it ends, and after which its answer stands
    is_command: bool  # a backslash command, not SQL


@dataclasses.dataclass
class Script:
    lines: list[str]
    statements: list[Statement]
    data_lines: set[int]  # 1-based lines that are COPY data, with their "\."
    bare_copies: list[int]  # last lines of COPY FROM STDIN statements that have no data
    inner_lines: set[int]  # lines that begin inside a literal or a comment
    silent_lines: set[int]  # lines between \set ECHO none and \set ECHO all

    def echoed(self) -> list[tuple[int, str]]:
        """What psql -a echoes: not the data, and empty lines only inside literals and comments."""
        return [
            (number, text)
            for number, text in enumerate(self.lines, 1)
            if number not in self.data_lines | self.silent_lines
            and (text != "" or number in self.inner_lines)
        ]


TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<line_comment>--[^\n]*)
  | (?P<comment>/\*)
  | (?P<escape_string>[eE]')
  | (?P<string>(?:[bBxXnN]|[uU]&)?')
  | (?P<identifier>(?:[uU]&)?")
  | (?P<dollar>\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$)
  | (?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)
  | (?P<number>\d[\w.]*)
  | (?P<separator>\\;)
  | (?P<command>\\)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
SENDING = re.compile(r"\\(g|gx|gset|gexec|gdesc|crosstabview|watch|bind)\b")
WHOLE_LINE = re.compile(r"\\(copy|!|help|h|sf\+?|sv\+?|ef|ev)\b")
COPY_IN = re.compile(r"\bcopy\b[^;]*?\bfrom\s+(?:p?stdin|stdout)\b", re.IGNORECASE | re.DOTALL)
STANDARD_STRINGS = re.compile(
    r"^\s*set\s+(?:local\s+|session\s+)?standard_conforming_strings\s*(?:=|to)\s*'?(\w+)",
    re.IGNORECASE,
)


class Splitter:
    def __init__(self, text: str, is_bare_copy) -> None:
        self.text = text
        self.is_bare_copy = is_bare_copy  # (line) -> whether its COPY FROM STDIN has no data
        self.at = 0
        self.line = 1
        self.standard_strings = True
        self.statements: list[Statement] = []
        self.data_lines: set[int] = set()
        self.bare_copies: list[int] = []
        self.pending_copies: list[str] = []
        self.inner_lines: set[int] = set()
        self.silent_lines: set[int] = set()
        self.silent_from = 0
        self.reset()

    def reset(self) -> None:
        self.begin: int | None = None  # where the statement's first token stands
        self.begin_line = 0
        self.parens = self.blocks = 0
        self.words: list[str] = []

    def advance(self, to: int) -> None:
        self.line += self.text.count("\n", self.at, to)
        self.at = to

    def advance_inside(self, to: int) -> None:
        first = self.line
        self.advance(to)
        self.inner_lines.update(range(first + 1, self.line + 1))

    def quoted(self, start: int, quote: str, backslash: bool) -> int:
        """The place after a literal whose body starts at `start`."""
        pattern = re.compile(
            rf"{quote}{quote}|\\.|{quote}" if backslash else rf"{quote}{quote}|{quote}", re.DOTALL
        )
        for match in pattern.finditer(self.text, start):
            if match[0] == quote:
                return match.end()
        return len(self.text)

    def comment_end(self, start: int) -> int:
        depth = 0
        for match in re.compile(r"/\*|\*/").finditer(self.text, start):
            depth += 1 if match[0] == "/*" else -1
            if depth == 0:
                return match.end()
        return len(self.text)

    def note_word(self, word: str) -> None:
        """psql's rule for SQL-standard function bodies: BEGIN ATOMIC ... END holds semicolons."""
        self.words.append(word.lower())
        head = [
            w[0] if w in ("create", "function", "procedure", "or", "replace") else ""
            for w in self.words[:4]
        ]
        head += [""] * (4 - len(head))
        makes = head[0] == "c" and (
            head[1] in ("f", "p") or head[1:3] == ["o", "r"] and head[3] in ("f", "p")
        )
        if makes and self.parens == 0:
            if self.words[-1] == "begin":
                self.blocks += 1
            elif self.words[-1] == "case" and self.blocks:
                self.blocks += 1
            elif self.words[-1] == "end" and self.blocks:
                self.blocks -= 1

    def finish(self, end: int, is_command: bool = False) -> None:
        text = self.text[self.begin : end] if self.begin is not None else ""
        if text.strip():
            first = self.line - text.count("\n") if self.begin_line == 0 else self.begin_line
            self.statements.append(Statement(text, first, self.line, is_command))
            match = STANDARD_STRINGS.match(text)
            if match:
                self.standard_strings = match[1].lower() in ("on", "true", "yes", "1")
            if is_command:
                self.pending_copies += COPY_IN.findall(text) if text.startswith("\\copy") else []
            else:
                for piece in text.split("\\;"):
                    plain = re.sub(r"--[^\n]*|/\*.*?\*/", " ", piece, flags=re.DOTALL).strip()
                    if plain[:4].lower() == "copy" and COPY_IN.match(plain):
                        self.pending_copies.append(plain)
        self.reset()

    def command(self) -> None:
        """At a backslash: the command, or commands, that take the rest of the line."""
        newline = self.text.find("\n", self.at)
        newline = len(self.text) if newline < 0 else newline
        line = self.text[self.at : newline]
        end = newline
        if not WHOLE_LINE.match(line):
            depth_quote = ""
            for place, char in enumerate(line):
                if depth_quote:
                    depth_quote = "" if char == depth_quote else depth_quote
                elif char in "'`\"":
                    depth_quote = char
                elif line.startswith("\\\\", place) and place > 0:
                    end = self.at + place + 2
                    break
        echo = re.match(r"\\set\s+ECHO\s+(\w+)", line)
        if echo and echo[1] == "none":
            self.silent_from = self.line + 1
        elif echo and self.silent_from:
            self.silent_lines.update(range(self.silent_from, self.line + 1))
            self.silent_from = 0
        if SENDING.match(line) and self.begin is not None:
            self.finish(self.at)
            self.advance(end)
            return
        if re.match(r"\\r(eset)?\b", line):
            self.reset()
        open_statement = (self.begin, self.begin_line, self.parens, self.blocks, self.words)
        self.begin, self.begin_line = self.at, self.line
        stop = end - 2 if end != newline else end
        text = self.text[self.at : stop]
        self.begin = self.at
        self.finish(self.at + len(text), is_command=True)
        self.begin, self.begin_line, self.parens, self.blocks, self.words = open_statement
        self.advance(end)

    def skip_data(self) -> None:
        """At the end of a line on which COPY FROM STDIN ended: passes over its data."""
        for _ in self.pending_copies:
            if self.is_bare_copy(self.line):
                self.bare_copies.append(self.line)
                continue
            start = self.at + 1
            match = re.compile(r"^\\\.$", re.MULTILINE).search(self.text, start)
            end = match.end() if match else len(self.text)
            first = self.line + 1
            self.advance(end)
            self.data_lines.update(range(first, self.line + 1))
        self.pending_copies = []

    def split(self) -> Script:
        text = self.text
        while self.at < len(text):
            if text[self.at] == "\n" and self.pending_copies:
                self.skip_data()
                continue
            match = TOKEN.match(text, self.at)
            kind, end = match.lastgroup, match.end()
            if kind == "space":
                newline = text.find("\n", self.at, end)
                if newline >= 0 and self.pending_copies:
                    self.advance(newline)
                    continue
                self.advance(end)
                continue
            if kind == "line_comment":
                self.advance(end)
                continue
            if kind == "comment":
                self.advance_inside(self.comment_end(self.at))
                continue
            if kind == "command":
                self.command()
                continue
            if kind == "other" and match[0] == ";" and self.parens == 0 and self.blocks == 0:
                self.finish(self.at)
                self.advance(end)
                continue
            if self.begin is None:
                self.begin, self.begin_line = self.at, self.line
            if kind in ("escape_string", "string"):
                backslash = kind == "escape_string" or not self.standard_strings
                end = self.quoted(end, "'", backslash and text[end - 2 : end - 1] != "&")
            elif kind == "identifier":
                end = self.quoted(end, '"', False)
            elif kind == "dollar":
                close = text.find(match[0], end)
                end = len(text) if close < 0 else close + len(match[0])
            elif kind == "word":
                self.note_word(match[0])
            elif match[0] == "(":
                self.parens += 1
            elif match[0] == ")":
                self.parens = max(0, self.parens - 1)
            self.advance_inside(end)
        if self.begin is not None:
            self.finish(len(text))
        lines = text.split("\n")
        if lines and lines[-1] == "":
            lines.pop()
        return Script(
            lines,
            self.statements,
            self.data_lines,
            self.bare_copies,
            self.inner_lines,
            self.silent_lines,
        )


def split(text: str, expected: str = "") -> Script:
    """Splits a script. `expected`, its output, tells which COPY FROM STDIN has no data: the line
    after such a one is echoed, and so is each that looks like data but is not."""
    script_lines = text.split("\n")
    echoed = set(expected.split("\n"))

    def is_bare_copy(line: int) -> bool:
        following = script_lines[line:]
        if "\\." not in following:
            return True
        data = following[: following.index("\\.")]
        first = next((s for s in data if s.strip()), "")
        return first in echoed and re.match(r"\s*(--|\\|/\*|[A-Za-z]+\b.*[ (;])", first) is not None

    return Splitter(text, is_bare_copy).split()
