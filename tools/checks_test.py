"""The checks catch what they are for, and let pass what is right."""

import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "engine")]

import check_layers  # noqa: E402
import format as tree_format  # noqa: E402
import headers_alone  # noqa: E402
import test as tree_test  # noqa: E402
import tidy  # noqa: E402
import writable_globals  # noqa: E402


def faults_of(name: str, text: str) -> set[str]:
    """The rules that `text` breaks when it stands in the file `name`."""
    file = tidy.File.__new__(tidy.File)
    file.take(name, text)
    report = tidy.Report()
    tidy.check_file(file, report)
    return {rule for _, _, rule, _ in report.faults}


class Tidy(unittest.TestCase):
    def check(self, rule: str, right: list[str], wrong: list[str], name: str = "engine/wal/a.cpp"):
        for text in right:
            self.assertNotIn(rule, faults_of(name, text + "\n"), text)
        for text in wrong:
            self.assertIn(rule, faults_of(name, text + "\n"), text)

    def test_try_stands_in_its_three_places(self):
        self.check(
            "try-place",
            [
                "void f() { TRY(g()); }",
                "void f() { const int x = TRY(g(h(1), 2)); }",
                "int f() { return TRY(g()); }",
                "void f() { if (a) TRY(g()); else TRY(h()); }",
                "void f() { x = TRY(g()); }",
                "void f() { // g(TRY(x))\n }",
                "#define TRY(x) (TRY(x) + 1)",
            ],
            [
                "void f() { g(TRY(h())); }",
                "void f() { const int x = TRY(g()) + 1; }",
                "void f() { if (TRY(g())) h(); }",
                "void f() { if (a == TRY(g())) h(); }",
            ],
        )

    def test_try_never_stands_in_braces(self):
        self.check(
            "try-braces",
            [
                "void f() { TRY(g()); }",
                "int f() const { return TRY(g()); }",
                "auto f() -> int { TRY(g()); }",
                "Status f() override { TRY(g()); }",
                "Status f() && { TRY(g()); }",
                "void f() { each([&](int x) { TRY(g(x)); }); }",
                "void f() { if (a) { TRY(g()); } else { TRY(h()); } }",
                "void f() { switch (a) { case 1: { TRY(g()); } default: TRY(h()); } }",
            ],
            [
                "P f() { return P{TRY(a()), 1}; }",
                "P f() { return {.a = TRY(a())}; }",
                "void f() { const P p{TRY(a())}; }",
                "void f() { g({1, TRY(a())}); }",
                "void f() { auto v = std::vector<int>{1, TRY(a())}; }",
            ],
        )

    def test_words_are_seen_in_code_alone(self):
        self.check(
            "word",
            [
                "// throw, new, delete",
                'auto s = "throw new";',
                "A(const A&) = delete;",
                "new (place) T;",
                "static_assert(1);",
                "int tryout = 1;",
            ],
            ["void f() { throw 1; }", "auto p = new int;", "void f() { delete p; }", "assert(x);"]
            + ["std::shared_ptr<int> p;", "auto a = dynamic_cast<B*>(p);"],
        )
        self.assertNotIn(
            "word", faults_of("engine/fiber/a.cpp", "void f() { try { } catch (...) { } }\n")
        )
        self.assertIn(
            "word", faults_of("engine/wal/a.h", "#pragma once\nstd::function<void()> f;\n")
        )

    def test_headers_depend_on_the_folder(self):
        self.check(
            "header",
            ["#include <vector>", "#include <stdio.h>"],
            ["#include <chrono>", "#include <unistd.h>", "#include <iostream>", "#include <mutex>"],
        )
        self.assertNotIn("header", faults_of("engine/os/a.cpp", "#include <unistd.h>\n"))

    def test_a_default_hides_an_enumerator_but_not_a_number(self):
        self.check(
            "enum-default",
            ["void f() { switch (c) { case 'a': return; case 12: default: return; } }"],
            ["void f() { switch (c) { case Kind::a: return; default: return; } }"]
            + ["void f() { switch (c) { case idle: return; default: return; } }"],
        )

    def test_order_is_never_by_chance(self):
        self.check("unordered", ["HashMap<int, int> m;"], ["std::unordered_map<int, int> m;"])
        self.check("by-address", ["std::map<Oid, A*> m;"], ["std::map<const Node*, int> m;"])

    def test_long_functions_are_measured_from_head_to_brace(self):
        body = "\n".join(["  x += 1;"] * 69)
        self.check(
            "function-length", [f"void f() {{\n{body[:-10]}\n}}"], [f"void f() {{\n{body}\n}}"]
        )
        table = "\n".join(["  1,"] * 90)
        self.check("function-length", [f"constexpr int kTable[] = {{\n{table}\n}};"], [])

    def test_an_excuse_names_its_rule(self):
        excused = "// tidy: allow(word) the C library gives it so\nauto p = new int;\n"
        self.assertNotIn("word", faults_of("engine/wal/a.cpp", excused))
        self.assertIn("word", faults_of("engine/wal/a.cpp", excused.replace("(word)", "(call)")))

    def test_markdown_has_one_title(self):
        self.assertNotIn("title", faults_of("docs/a.md", "# A\n```\n# not a title\n```\n## B\n"))
        self.assertIn("title", faults_of("docs/a.md", "# A\n\n# B\n"))
        self.assertIn("title", faults_of("docs/a.md", "text\n"))

    def test_a_debt_names_its_issue(self):
        self.check("todo", ["// TODO(#12): later"], ["// TODO: later", "// FIX" + "ME"])


class Layers(unittest.TestCase):
    layers = check_layers.Layers(
        "base\nhost(base)  sql(base)\nwal(base host)\ntxn\nos(base)\nmain\n"
    )

    def test_each_fault_has_its_rule(self):
        for here, there, file, rule in (
            ("wal", "txn", "a.h", "upward"),
            ("host", "sql", "a.h", "upward"),
            ("wal", "sql", "a.h", "narrowed"),
            ("txn", "os", "a.h", "real-os"),
            ("sim", "os", "a.h", "real-os"),
            ("sim", "main", "a.h", "upward"),
            ("txn", "wal", "a_internal.h", "internal"),
            ("txn", "sim", "a.h", "outside"),
            ("txn", "nowhere", "a.h", "unknown"),
        ):
            self.assertTrue(self.layers.fault(here, there, file).startswith(rule), (here, there))

    def test_what_is_below_may_be_seen(self):
        for here, there in (("txn", "wal"), ("main", "os"), ("sim", "txn"), ("wal", "wal")):
            self.assertEqual(self.layers.fault(here, there, "a.h"), "")


class Programs(unittest.TestCase):
    def test_a_program_that_fails_without_a_word_has_failed(self):
        self.assertNotEqual(headers_alone.parse("false", [], "a.h")[2], "")
        self.assertEqual(headers_alone.parse("true", [], "a.h")[2], "")

    def test_only_the_command_line_library_s_own_names_are_excused(self):
        for name, excused in (
            ("CLI::ExistingFile", True),
            ("guard variable for CLI::Option::f()::x", True),
            ("orrery::parse(CLI::App&)::x", False),
        ):
            self.assertEqual(bool(writable_globals.COMMAND_LINE.match(name)), excused, name)

    def test_a_skipped_case_has_not_passed(self):
        case = '<testcase name="{}" classname="X" status="run" result="{}">{}</testcase>'
        report = "".join(
            [
                "<testsuites><testsuite>",
                case.format("A", "completed", ""),
                case.format("B", "skipped", '<skipped message="no suite"/>'),
                case.format("C", "completed", '<failure message="bad"/>'),
                "</testsuite></testsuites>",
            ]
        )
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(report)
            file.flush()
            cases, skipped = tree_test.gtest_cases(pathlib.Path(file.name))
        self.assertEqual(cases, [("X.A", ""), ("X.C", "bad")])
        self.assertEqual(skipped, [("X.B", "no suite")])

    def test_a_program_fails_by_its_end_or_by_doing_nothing(self):
        passed, failed = [("A", "")], [("A", "bad")]
        self.assertEqual(tree_test.program_case("p", 0, "", passed, []), [])
        self.assertEqual(tree_test.program_case("p", 1, "", failed, []), [])
        self.assertEqual(tree_test.program_case("p", 0, "", [], passed), [])  # all skipped
        self.assertTrue(tree_test.program_case("p", 1, "", passed, []))
        self.assertTrue(tree_test.program_case("p", 0, "", [], []))

    def test_the_planted_bugs_are_those_listed(self):
        with tempfile.TemporaryDirectory() as folder:
            engine = pathlib.Path(folder)
            (engine / "a.cpp").write_text("if (PLANTED(b01_a) || PLANTED(b02_b)) f();")
            self.assertTrue(tree_test.plants_in_sources({"b01_a", "b02_b"}, engine)[1])
            for listed in ({"b01_a"}, {"b01_a", "b02_b", "b03_c"}):
                self.assertFalse(tree_test.plants_in_sources(listed, engine)[1])

    def test_a_check_that_says_77_is_left_out(self):
        test = {
            "name": "facts",
            "command": [sys.executable, "-c", "print('no server'); raise SystemExit(77)"],
            "properties": [{"name": "SKIP_RETURN_CODE", "value": 77}],
        }
        cases, skipped = tree_test.run_test_program("release", test)[2:]
        self.assertEqual((cases, skipped), ([], [("facts", "no server")]))
        test["properties"] = []
        self.assertTrue(tree_test.run_test_program("release", test)[2][0][1])


class Format(unittest.TestCase):
    def test_wraps_paragraphs_and_leaves_tables(self):
        wide = "// " + "word " * 30
        self.assertTrue(all(len(l) <= 100 for l in tree_format.wrap_comments(wide).split("\n")))
        table = "//   name      " + "what it is " * 12
        self.assertEqual(tree_format.wrap_comments(table), table)


if __name__ == "__main__":
    unittest.main()
