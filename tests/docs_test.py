#!/usr/bin/env python3
"""What docs/ and CONTRIBUTING.md cite is there: files, tests, verbs, keys, commands and every other name in code type."""
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "blackbox"))
import man_pages  # noqa: E402

FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.M | re.S)
CODE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
LINK = re.compile(r"\]\(([^)#]+)\)")
TEST = re.compile(r"(blackbox|package|postfix|unit|scenario|fuzz|house)\.(\w+)(?:/(test_\w+))?$")
PLACES = {"blackbox": "tests/blackbox/{}_test.py", "postfix": "tests/postfix/test_{}.py", "unit": "tests/unit/{}_test.cc",
          "scenario": "tests/scenario/{}.txt", "fuzz": "tests/fuzz/{}_fuzz.cc", "house": "tests/{}_test.py",
          "package": "tests/package/package_test.py"}
FILE = re.compile(r"[\w.-]+(/[\w.-]+)+$")
SNAKE = re.compile(r"[a-z]+(_[a-z0-9]+)+$")
# What stands for a name that the reader chooses.
CHOSEN = re.compile(r"NAME|FILE|HASH|X\.Y")
SOURCES = {".h", ".cc", ".py", ".sh", ".txt", ".md", ".cf", ".8", ".5", ".service"}
TOP = {"src", "tlsmap", "policyd", "tests", "packaging", "postfix-examples", "docs", "cmake", "build"}


def pages():
    return [*sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md"]


def words_of(text):
    """What stands in code type, in the text and in its blocks, one command or name each."""
    blocks = FENCE.findall(text)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line] + [" ".join(word.split()) for word in CODE.findall(FENCE.sub("", text))]


def sources():
    """All that is written in the tree, but for what is checked and this file."""
    checked = {*pages(), pathlib.Path(__file__).resolve()}
    found = [path for top in sorted(TOP - {"build", "docs"}) for path in (ROOT / top).rglob("*")
             if path.suffix in SOURCES and path not in checked]
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in found)


class Checker:
    def __init__(self):
        self.verbs, self.keys = set(man_pages.verbs()), set(man_pages.keys())
        self.text = sources()
        self.names = set(re.findall(r"\w+", self.text))
        self.usage = (ROOT / "dev").read_text(encoding="utf-8")

    def test_is_missing(self, kind, name, method):
        file = ROOT / PLACES[kind].format(name)
        if not file.exists():
            return f"there is no {file.relative_to(ROOT)}"
        lists = ROOT / "tests" / ("" if kind == "house" else kind) / "CMakeLists.txt"
        if not re.search(rf"\b{name}\b", lists.read_text(encoding="utf-8")):
            return f"{kind}.{name} is known to no {lists.relative_to(ROOT)}"
        if method and f"def {method}(" not in file.read_text(encoding="utf-8"):
            return f"{file.relative_to(ROOT)} has no {method}"
        return None

    def verb_is_missing(self, words):
        words = [word for word in words if not word.startswith("-") and not CHOSEN.search(word)]
        if words and not {words[0], " ".join(words[:2])} & self.verbs:
            return f"tlspolicyctl has no verb {words[0]}"
        return None

    def complaint_about(self, word):
        """What is wrong with one piece of code type; None where nothing is, or where it is of no known kind."""
        if test := TEST.match(word):
            return self.test_is_missing(*test.groups())
        if word.startswith("tlspolicyctl"):
            return self.verb_is_missing(word.split()[1:])
        if word.startswith("./dev "):
            command = word.split()[1]
            return None if re.search(rf"^\./dev {command}\b", self.usage, re.M) else f"./dev has no {command}"
        if key := re.match(r"(\w+) = ", word):
            return None if key.group(1) in self.keys else f"no key {key.group(1)}"
        if CHOSEN.search(word):
            return None
        if FILE.match(word) and word.split("/")[0] in TOP - {"build"}:
            return None if (ROOT / word).exists() else f"there is no {word}"
        if SNAKE.match(word):
            return None if word in self.names else f"nothing in the tree is called {word}"
        return None


class Docs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.checker = Checker()

    def test_every_name_that_is_cited_is_there(self):
        self.assertLessEqual(5, len(pages()))
        for page in pages():
            words = words_of(page.read_text(encoding="utf-8"))
            self.assertLess(10, len(words), page)
            with self.subTest(page=page.name):
                self.assertEqual([], [f"{word}: {wrong}" for word in words
                                      if (wrong := self.checker.complaint_about(word))])

    def test_every_link_leads_somewhere(self):
        for page in pages():
            for link in LINK.findall(page.read_text(encoding="utf-8")):
                with self.subTest(page=page.name, link=link):
                    self.assertTrue((page.parent / link).exists())

    def test_numbers_of_schemas_and_formats_are_those_of_the_code(self):
        said = (ROOT / "docs" / "upgrade.md").read_text(encoding="utf-8")
        image = (ROOT / "src/image/format.h").read_text(encoding="utf-8")
        self.assertIn(f"(format {re.search(r'kFormatVersion = ([0-9]+)', image).group(1)})", said)
        for database, steps in (("policy.db", "schema_step_*.cc"), ("state.db", "state_step_*.cc")):
            newest = len(list((ROOT / "src/store").glob(steps)))
            self.assertIn(f"`{database}` (schema {newest})", said)

    def test_each_kind_of_breach_is_seen(self):
        for word in ("blackbox.nonsense", "unit.nonsense", "blackbox.roles/test_nonsense", "tlspolicyctl nonsense",
                     "./dev nonsense", "nonsense_key = 1", "src/nonsense.h", "non_sense_of_a_name"):
            with self.subTest(word=word):
                self.assertIsNotNone(self.checker.complaint_about(word))

    def test_what_is_there_is_left_alone(self):
        for word in ("blackbox.roles", "blackbox.roles/test_a_role_can_gain_no_rights", "unit.judge", "scenario.freeze",
                     "tlspolicyctl profile list", "tlspolicyctl decisions --verify --head HASH", "./dev test NAME",
                     "trust_maillog = yes", "src/engine/judge.h", "evidence_uid", "src/app/ctl_NAME.cc", "OK VALUE"):
            with self.subTest(word=word):
                self.assertIsNone(self.checker.complaint_about(word))


if __name__ == "__main__":
    unittest.main()
