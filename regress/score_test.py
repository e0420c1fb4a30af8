"""The splitter follows psql, and the score counts what it says it counts."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import score  # noqa: E402
import script  # noqa: E402


def texts(text: str) -> list[str]:
    return [statement.text for statement in script.split(text).statements]


class Splitter(unittest.TestCase):
    def test_semicolons_end_statements_only_in_plain_sight(self):
        self.assertEqual(texts("select 1; select 2;\n"), ["select 1", "select 2"])
        for one in (
            "select 'a;b'",
            "select E'a\\';b'",
            'select ";"',
            "select $x$ ; $$ ; $x$",
            "select /* ; /* ; */ ; */ 1",
            "create rule r as on insert to t do (select 1; select 2)",
            "create function f() begin atomic select 1; select case when a then 2 end; end",
        ):
            self.assertEqual(texts(one + ";\n"), [one])
        self.assertEqual(texts("-- a; b\nselect 1;\n"), ["select 1"])

    def test_commands_send_or_stand_alone(self):
        self.assertEqual(texts("select 1 \\gset\n\\d t\n"), ["select 1 ", "\\d t"])
        self.assertEqual(texts("select 1\\; select 2;\n"), ["select 1\\; select 2"])

    def test_data_of_copy_is_neither_split_nor_echoed(self):
        found = script.split("copy t from stdin;\n1;\n\\.\nselect 1;\n")
        self.assertEqual([s.text for s in found.statements], ["copy t from stdin", "select 1"])
        self.assertEqual([text for _, text in found.echoed()], ["copy t from stdin;", "select 1;"])

    def test_a_copy_that_must_fail_has_no_data(self):
        text = "copy no from stdin;\nselect 1; -- ok\ncopy t from stdin;\n1\n\\.\n"
        found = script.split(text, "copy no from stdin;\nERROR:  no\nselect 1; -- ok\n")
        self.assertEqual(found.bare_copies, [1])

    def test_empty_lines_are_echoed_only_inside_literals(self):
        found = script.split("select 1;\n\nselect 'a\n\nb';\n")
        self.assertEqual([n for n, _ in found.echoed()], [1, 3, 4, 5])


SCRIPT = "create table t (a int);\n\nselect 1;\nselect 2;\ninsert into t values (1);\nselect x;\n"
TABLE = " ?column? \n----------\n        {}\n(1 row)\n\n"
EXPECTED = (
    "create table t (a int);\nselect 1;\n" + TABLE.format(1) + "select 2;\n" + TABLE.format(2)
) + "insert into t values (1);\nselect x;\nERROR:  no x\n"


def judged(output: str, alternates: list[dict] = [], variants: dict = {"t.out": EXPECTED}):
    return score.score(SCRIPT, variants, output, alternates)


class Score(unittest.TestCase):
    def test_the_expected_output_is_right(self):
        found = judged(EXPECTED)
        self.assertTrue(found.passed)
        self.assertEqual((len(found.verdicts), found.count(has_output=True)), (5, 3))

    def test_white_space_within_a_line_does_not_count(self):
        self.assertTrue(judged(EXPECTED.replace("        1", "  1")).passed)

    def test_a_server_that_answers_nothing_scores_nothing(self):
        silent = "".join(line + "\n" for line in SCRIPT.split("\n") if line)
        found = judged(silent)
        self.assertFalse(found.passed)
        self.assertEqual(found.count(has_output=True, matched=True), 0)
        self.assertEqual(found.count(matched=True), 2)

    def test_one_wrong_answer_is_one_wrong_statement(self):
        found = judged(EXPECTED.replace("        2", "        3"))
        self.assertEqual([v.line for v in found.verdicts if not v.matched], [4])

    def test_what_psql_did_not_come_to_is_wrong(self):
        cut = EXPECTED[: EXPECTED.index("select 2;")] + "select 2;\nserver closed the connection\n"
        found = judged(cut)
        self.assertEqual([v.line for v in found.verdicts if not v.matched], [4, 5, 6])

    def test_what_goes_on_behind_the_expected_end_does_not_pass(self):
        shorter = EXPECTED[: EXPECTED.index("insert into t")]
        self.assertTrue(judged(shorter, variants={"t.out": shorter}).passed)
        self.assertFalse(judged(EXPECTED, variants={"t.out": shorter}).passed)

    def test_an_answer_that_looks_like_the_script_is_still_an_answer(self):
        text = "\\echo 'select 1;'\nselect 1;\n"
        expected = "\\echo 'select 1;'\nselect 1;\nselect 1;\n" + TABLE.format(1)
        self.assertTrue(score.score(text, {"t.out": expected}, expected, []).passed)

    def test_the_best_variant_counts_and_an_alternate_is_as_good(self):
        other = EXPECTED.replace("no x", "where is x")
        self.assertEqual(
            judged(other, variants={"t.out": EXPECTED, "t_1.out": other}).variant, "t_1.out"
        )
        key = score.statement_key("select x")
        self.assertTrue(
            judged(other, [{"line": 6, "key": key, "block": ["ERROR:  where is x"]}]).passed
        )


if __name__ == "__main__":
    unittest.main()
