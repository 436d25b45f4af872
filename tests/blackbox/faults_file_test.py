#!/usr/bin/env python3
"""What may happen to policy.db as a file: whatever it is, the last known good policy answers."""
import contextlib
import os
import random
import shutil
import unittest

from daemon import Daemon, insertion
from oracle import NOT_FOUND, Oracle, strict_rows
from processes import wait_until

ROWS, STRICT = strict_rows(2000)
KEYS = random.Random(3).sample(list(STRICT), 300)
ALLOWED = {**{key: STRICT[key] for key in KEYS}, "absent.example": {NOT_FOUND}}
PAGE = 4096


class Fault(unittest.TestCase):
    """Under the oracle from beginning to end, and well again at the end."""

    def setUp(self):
        self.daemon = self.enterContext(Daemon(ROWS))
        wait_until(lambda: os.path.exists(self.daemon.image_file), "the last known good policy is saved")
        self.good = self.daemon.path("good.db")
        shutil.copyfile(self.daemon.policy_db, self.good)

    def watch(self, connections=2):
        return Oracle(self.daemon, ALLOWED, connections)

    def replace(self, content):
        """Another file under the name, as `mv` does it."""
        new = self.daemon.path("new.db")
        with open(new, "wb") as file:
            file.write(content)
        os.rename(new, self.daemon.policy_db)

    def read_good(self):
        with open(self.good, "rb") as file:
            return file.read()

    def wait_for_trouble(self, *codes):
        code = wait_until(self.daemon.trouble, lambda: f"one of {codes} is reported\n{self.daemon.log()}")
        self.assertIn(code, codes, self.daemon.status())
        self.assertFalse(self.daemon.status()["ok"])
        return code

    def mend(self):
        self.replace(self.read_good())
        wait_until(lambda: self.daemon.status().get("ok"), lambda: f"all is well: {self.daemon.status()}")
        self.daemon.edit(insertion("mended.example", "verified"))
        self.daemon.wait_until_answers("mended.example", "OK verify")
        self.daemon.edit("DELETE FROM outbound WHERE destination = 'mended.example'")
        self.daemon.wait_until_answers("mended.example", NOT_FOUND)


class GoneOrShort(Fault):
    def test_a_deleted_file_is_reported_and_never_made_anew(self):
        with self.watch() as oracle:
            os.unlink(self.daemon.policy_db)
            self.wait_for_trouble("missing")
            oracle.settle()
            self.daemon.restart_store()
            self.wait_for_trouble("missing")
            oracle.settle()
            self.assertFalse(os.path.exists(self.daemon.policy_db))
            self.mend()

    def test_an_empty_file_is_reported_and_stays_empty(self):
        with self.watch() as oracle:
            self.replace(b"")
            self.wait_for_trouble("empty", "not-ours")
            oracle.settle()
            self.assertEqual(0, os.path.getsize(self.daemon.policy_db))
            self.mend()

    def test_a_file_cut_to_half_is_reported(self):
        with self.watch() as oracle:
            self.replace(self.read_good()[:len(self.read_good()) // 2])
            self.wait_for_trouble("corrupt")
            oracle.settle()
            self.mend()

    def test_a_live_file_that_is_cut_is_never_published(self):
        for size in (os.path.getsize(self.good) // 2, 0):
            with self.subTest(size=size), self.watch() as oracle:
                os.truncate(self.daemon.policy_db, size)
                self.daemon.restart_store()
                self.wait_for_trouble("corrupt", "empty", "not-ours")
                oracle.settle()
                self.mend()

    def test_a_cold_start_answers_from_the_last_known_good_policy(self):
        with contextlib.suppress(FileNotFoundError):
            for suffix in ("", "-wal", "-shm"):
                os.unlink(self.daemon.policy_db + suffix)
        self.daemon.restart()
        with self.watch() as oracle:
            self.wait_for_trouble("missing")
            oracle.settle()
            self.mend()


class NothingKnown(unittest.TestCase):
    def test_without_database_and_image_every_answer_is_temp_and_mail_waits(self):
        with Daemon(init=False) as daemon:
            self.assertTrue(daemon.ask("any.example").startswith("TEMP "))
            self.assertTrue(daemon.ask("any.example", "strict").startswith("TEMP "))
            self.assertEqual(NOT_FOUND, daemon.ask("2.0.0 Ok", "outcome"))
            self.assertEqual(NOT_FOUND, daemon.ask("any.example", "transport"))
            self.assertEqual("missing", daemon.trouble())
            daemon.ctl("init")
            daemon.wait_until_answers("any.example", NOT_FOUND)

    def test_in_mode_observe_nothing_known_is_not_found(self):
        with Daemon(init=False, mode="observe") as daemon:
            self.assertEqual(NOT_FOUND, daemon.ask("any.example"))

    def test_a_damaged_image_without_a_database_is_temp(self):
        for damage in (b"", b"x" * 100_000, None):
            with self.subTest(damage=damage and damage[:1]), Daemon([("a.example", "required")]) as daemon:
                wait_until(lambda at=daemon: os.path.exists(at.image_file), "the image is saved")
                daemon.stop()
                os.unlink(daemon.policy_db)
                with open(daemon.image_file, "r+b") as file:
                    image = bytearray(file.read())
                    image[len(image) // 2] ^= 1
                    file.seek(0)
                    file.truncate()
                    file.write(image if damage is None else damage)
                daemon.start()
                self.assertTrue(daemon.ask("a.example").startswith("TEMP "))
                daemon.ctl("init")
                daemon.edit(insertion("a.example", "required"))
                daemon.wait_until_answers("a.example", "OK encrypt")


class Overwritten(Fault):
    def test_a_file_copied_over_the_live_one_is_never_published_torn(self):
        new = self.read_good()
        with self.watch() as oracle:
            for end in (len(new) // 3, len(new) // 2, len(new)):
                with open(self.daemon.policy_db, "r+b") as file:
                    file.write(new[:end])
                self.daemon.status()
                oracle.settle()
            self.daemon.restart_store()
            oracle.settle()
            self.mend()

    def test_another_content_copied_over_the_live_one_half_way_is_never_published(self):
        with Daemon(start=False) as other:
            rows, _ = strict_rows(2000, "other.example")
            other.edit_all("".join(insertion(*row) for row in rows))
            with open(other.policy_db, "rb") as file:
                new = file.read()
        half = len(new) // 2 // PAGE * PAGE
        with self.watch() as oracle:
            with open(self.daemon.policy_db, "r+b") as file:
                file.write(new[:half])
            self.daemon.status()
            oracle.settle()
            self.daemon.restart_store()
            self.wait_for_trouble("corrupt")
            oracle.settle()
            self.mend()

    def test_commits_that_are_lost_with_the_wal_are_reported(self):
        for lost in (("-wal",), ("-wal", "-shm")):
            with self.subTest(lost=lost), self.watch() as oracle:
                shell = self.daemon.open_shell()
                shell.say(insertion("lost.example", "verified"))
                self.daemon.wait_until_answers("lost.example", "OK verify")
                for suffix in lost:
                    os.unlink(self.daemon.policy_db + suffix)
                self.wait_for_trouble("wal-lost")
                self.assertEqual("OK verify", self.daemon.ask("lost.example"))
                oracle.settle()
                shell.close()
                for suffix in ("-wal", "-shm"):
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(self.daemon.policy_db + suffix)
                self.mend()

    def test_a_cut_shared_memory_file_kills_the_store_at_most(self):
        with self.watch() as oracle:
            answer = self.daemon.role("answer")
            for turn in range(10):
                self.daemon.open_shell().say(insertion(f"turn{turn}.example", "verified"))
                os.truncate(self.daemon.policy_db + "-shm", 0)
                self.daemon.status()
                self.daemon.edit(insertion(f"after{turn}.example", "verified"))
                self.daemon.wait_until_answers(f"after{turn}.example", "OK verify")
            oracle.settle()
            self.assertEqual(answer, self.daemon.role("answer"))
            self.assertEqual(0, oracle.reconnects)
            self.assertLessEqual(self.daemon.log().count("role store was killed"), 10)


class Damaged(Fault):
    TRIALS = 12

    def setUp(self):
        super().setUp()
        # Those that answers are made of; the log of changes and further indexes are the admin's.
        self.pages = [int(number) for number in self.daemon.edit(
            "SELECT pageno FROM dbstat WHERE name IN ('outbound', 'profile') AND pageno > 1 ORDER BY 1").split()]
        self.assertGreater(len(self.pages), 10)

    def check(self, damage):
        """`damage` is done to a copy that replaces the file; what comes of it is never a weaker answer."""
        with self.watch() as oracle:
            for seed in range(self.TRIALS):
                content = bytearray(self.read_good())
                damage(content, random.Random(seed))
                self.replace(content)
                with self.subTest(seed=seed):
                    self.assertIn(wait_until(self.daemon.trouble, f"the damage {seed} is found"),
                                  ("corrupt", "hostile-schema", "not-ours", "refused"))
                oracle.settle()
                self.replace(self.read_good())
                wait_until(lambda: self.daemon.trouble() == "", "the good file is taken")
            self.mend()

    def page(self, choice):
        """The offset of a page that policies are read from."""
        return (choice.choice(self.pages) - 1) * PAGE

    def test_a_page_of_zeros_is_found(self):
        self.check(lambda content, choice: content.__setitem__(
            slice(at := self.page(choice), at + PAGE), bytes(PAGE)))

    def test_a_page_of_noise_is_found(self):
        self.check(lambda content, choice: content.__setitem__(
            slice(at := self.page(choice), at + PAGE), choice.randbytes(PAGE)))

    @staticmethod
    def swap_pages(content, one, other):
        first, second = (slice((number - 1) * PAGE, number * PAGE) for number in (one, other))
        content[first], content[second] = content[second], content[first]

    def test_two_pages_that_changed_places_are_found(self):
        def swap(content, choice):
            self.swap_pages(content, *choice.sample(self.pages, 2))
        self.check(swap)

    def test_a_root_that_changed_places_with_a_leaf_is_found(self):
        """A well-formed table with few of its rows: nothing inside it looks wrong."""
        root, *_ = self.daemon.edit("SELECT rootpage FROM sqlite_schema WHERE name = 'outbound' AND rootpage").split()
        leaves = [int(number) for number in self.daemon.edit(
            "SELECT pageno FROM dbstat WHERE name = 'outbound' AND pagetype = 'leaf' ORDER BY ncell DESC").split()]
        self.check(lambda content, choice: self.swap_pages(content, int(root), choice.choice(leaves)))

    def test_a_flipped_bit_in_the_structure_of_a_page_is_found(self):
        def flip(content, choice):
            # Type of the page and number of cells: bytes 0, 3 and 4 of a b-tree page.
            content[self.page(choice) + choice.choice((0, 3, 4))] ^= 1 << choice.randrange(8)
        self.check(flip)

    def test_damage_of_any_kind_anywhere_is_found_or_changes_no_answer(self):
        """The log of changes, free pages and the schema are hit as well."""
        with self.watch() as oracle:
            for seed in range(2 * self.TRIALS):
                choice = random.Random(seed)
                content = bytearray(self.read_good())
                at = choice.randrange(len(content) // PAGE) * PAGE
                content[at:at + PAGE] = choice.choice((bytes(PAGE), choice.randbytes(PAGE)))
                self.replace(content)
                self.daemon.status()
                oracle.settle()
            self.mend()


if __name__ == "__main__":
    unittest.main()
