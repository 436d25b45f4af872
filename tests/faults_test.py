"""The list of faults: every one of them stands in it once, and every test that it names exists."""
import pathlib
import re
import unittest

TESTS = pathlib.Path(__file__).resolve().parent
LAST = 50
LATER = {30, 31, 47, 48}  # of what is not built yet


def rows(text):
    """Number to what makes the fault."""
    return [(int(number), made_by) for number, made_by in
            re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", text, re.M)]


def complaints_about(made_by):
    """A file comes before the names of what it holds."""
    text, found = None, []
    for name in re.findall(r"`([^`]+)`", made_by):
        if re.fullmatch(r"[a-z]+/\w+\.(py|cc)", name):
            path = TESTS / name
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            if not text:
                found.append(f"{name}: there is no such file")
        elif not text:
            found.append(f"{name}: in which file?")
        elif not re.search(rf'(def|class) {re.escape(name)}\(|TEST_CASE\("{re.escape(name)}"', text):
            found.append(f"{name}: it isn't there")
    return found if text is not None else ["no file is named"]


class Faults(unittest.TestCase):
    def setUp(self):
        self.rows = rows((TESTS / "FAULTS.md").read_text(encoding="utf-8"))

    def test_each_fault_stands_there_once_in_order(self):
        self.assertEqual(list(range(1, LAST + 1)), [number for number, _ in self.rows])

    def test_each_test_that_is_named_exists(self):
        for number, made_by in self.rows:
            with self.subTest(fault=number):
                if made_by.startswith("not applicable until "):
                    self.assertIn(number, LATER)
                else:
                    self.assertEqual([], complaints_about(made_by))

    def test_a_name_that_does_not_exist_is_seen(self):
        for made_by in ("`blackbox/none_test.py`", "`blackbox/roles_test.py` `test_nothing`", "`test_nothing`", "nothing"):
            with self.subTest(made_by=made_by):
                self.assertEqual(1, len(complaints_about(made_by)))


if __name__ == "__main__":
    unittest.main()
