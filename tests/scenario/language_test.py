#!/usr/bin/env python3
"""The runner of scenarios is strict: what it doesn't understand, or nobody expects, is an error with a line."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

RUNNER = sys.argv.pop(1)
SCENE = "scenario: a title\nprofile: level may, fallback after-retry\n"
LOWERED = "00:00:00  outcome handshake-failure\n"
DOWNGRADE = "decided: downgrade encrypt -> may until 01:05:00"

# (what is wrong, text, line, words of the complaint)
WRONG = (
    ("an unknown event", SCENE + "00:00:00  aks -> may\n", 3, "unknown word 'aks'"),
    ("a word too many", SCENE + "00:00:00  asks loudly -> may\n", 3, "unknown word 'loudly'"),
    ("an unknown cause", SCENE + "00:00:00  outcome sunshine -> wait\n", 3, "no ending of a delivery"),
    ("an unknown setting", "scenario: a\nprofile: levle may\n00:00:00  asks -> may\n", 2, "knows no"),
    ("a profile that can't be", "scenario: a\nprofile: level verify, fallback after-retry\n"
     "00:00:00  asks -> may\n", 2, "never"),
    ("an unknown limit", SCENE + "limits: freezing 1\n00:00:00  asks -> may\n", 3, "unknown limit"),
    ("a row without its profile", SCENE + "row a.example: nobody\n00:00:00  asks -> may\n", 4, "no profile"),
    ("a scene after the first time", SCENE + "00:00:00  asks -> may\nrow a.example: main\n", 4, "time"),
    ("nothing expected", SCENE + "00:00:00  asks\n", 1, "expects nothing"),
    ("no scenario", "; only a comment\n", 1, "no scenario"),
    ("a line before the first", "00:00:00  asks -> may\n" + SCENE, 1, "before the first"),
    ("one title twice", SCENE + "00:00:00  asks -> may\n" + SCENE, 4, "taken already"),
    ("time that goes back", SCENE + "00:00:01  asks -> may\n00:00:00  asks -> may\n", 4, "goes back"),
    ("an expectation without a time", SCENE + "asks -> may\n", 3, "needs a time"),
    ("a wrong answer", SCENE + "00:00:00  asks -> encrypt\n", 3, "the answer is 'may', not 'encrypt'"),
    ("an answer to what has none", SCENE + "00:00:00  clock back 1d -> may\n", 3, "has an answer"),
    ("a decision nobody expects", SCENE + LOWERED + "00:05:00  asks -> may\n", 4, "no line expects"),
    ("one between two lines", SCENE + LOWERED + "00:05:01  asks -> may  " + DOWNGRADE + "  alarm: downgrade\n",
     4, "decided at 00:05:00"),
    ("one that isn't made", SCENE + LOWERED + "00:04:59  asks -> encrypt  " + DOWNGRADE + "\n", 4, "not decided"),
    ("another end", SCENE + LOWERED + "00:05:00  " + DOWNGRADE.replace("01:05:00", "01:05:01") +
     "  alarm: downgrade\n", 4, "until 01:05:00; expected"),
    ("another reason", SCENE + LOWERED + "00:05:00  " + DOWNGRADE + " because of me\n", 4, "because 1 failure"),
    ("less evidence", SCENE + LOWERED + "00:05:00  " + DOWNGRADE + " on 2 of evidence  alarm: downgrade\n",
     4, "on 1 of evidence"),
    ("an alarm nobody expects", SCENE + LOWERED + "00:05:00  " + DOWNGRADE + "\n", 4, "no line expects, at 00:05:00"),
    ("an alarm that isn't raised", SCENE + "00:00:00  asks  alarm: downgrade\n", 3, "missing: alarm: downgrade"),
    ("a sender who is told", "scenario: a\nprofile: level encrypt, fallback bounce\n"
     "00:00:00  outcome handshake-failure  alarm: tls-failing\n", 3, "the sender is told"),
    ("a restore without its reason", SCENE + LOWERED + "00:05:00  " + DOWNGRADE + "  alarm: downgrade\n"
     "01:05:00  decided: restore may -> encrypt  over: downgrade\n", 5, "with its reason"),
)


class Language(unittest.TestCase):
    def play(self, text, *options):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "story.txt")
            path.write_text(text, encoding="utf-8")
            done = subprocess.run([RUNNER, *options, os.fspath(path)], capture_output=True, text=True, check=False)
            return done.returncode, done.stdout.replace(os.fspath(path), "story.txt")

    def test_what_is_wrong_is_named_with_its_line(self):
        for name, text, line, words in WRONG:
            with self.subTest(name):
                code, output = self.play(text)
                self.assertEqual(1, code, output)
                self.assertIn(f"story.txt:{line}: ", output)
                self.assertIn(words, output)

    def test_a_good_one_passes_and_too_few_do_not(self):
        text = SCENE + LOWERED + "00:05:00  " + DOWNGRADE + "\n          alarm: downgrade\n"
        self.assertEqual((0, "1 scenarios, 0 failed\n"), self.play(text))
        self.assertEqual(1, self.play(text, "--at-least", "2")[0])


if __name__ == "__main__":
    unittest.main()
