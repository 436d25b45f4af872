"""The soak itself: what it is told to find it finds, and a seed settles what comes."""
import os
import pathlib
import socket
import sys
import tempfile
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "blackbox")]

import soak  # noqa: E402
from board import Board  # noqa: E402
from clients import Clients  # noqa: E402
from processes import wait_until  # noqa: E402
from schedule import make_schedule  # noqa: E402
from socketmap import frame  # noqa: E402

TOUCHES = {"a": {"x"}, "b": {"x"}, "c": {"y"}, "d": set()}


class Schedules(unittest.TestCase):
    def test_the_same_seed_has_the_same_faults_in_the_same_order(self):
        first, again, other = (list(map(repr, make_schedule(seed, 600, soak.faults.TOUCHES))) for seed in (7, 7, 8))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_every_fault_comes_and_some_come_two_at_once(self):
        events = make_schedule(1, 3600, soak.faults.TOUCHES)
        self.assertEqual(set(soak.faults.FAULTS), {name for event in events for name in event.faults})
        self.assertGreater(sum(len(event.faults) == 2 for event in events), 100)
        self.assertGreater(len(events), 1000)

    def test_two_at_once_never_touch_the_same(self):
        for event in make_schedule(3, 3600, TOUCHES):
            if len(event.faults) == 2:
                one, other = event.faults
                self.assertFalse(TOUCHES[one] & TOUCHES[other], event)


class Responder:
    """Answers each request of a socketmap client as `reply` says; None says nothing, an empty one hangs up."""

    def __init__(self, path, reply):
        self._reply = reply
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)
        self._socket.listen(100)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        with peer, peer.makefile("rb") as stream:
            while digits := stream.read(2):
                said = self._reply(stream.read(int(digits) + 2)[1:-1].decode())
                if said == "":
                    return
                if said is not None:
                    peer.sendall(frame(said))

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class TheClients(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        questions = {f"policy k{number}.example": ["OK encrypt"] for number in range(10, 20)}
        self.board = Board(os.path.join(self.folder, "board"), {**questions, "policy odd.example": ["OK encrypt", "OK may"]})
        self.addCleanup(self.board.close)

    def ask(self, odd, until):
        """How it ends where the odd one is answered so; the clients ask until() of their counts is true."""
        path = os.path.join(self.folder, "responder.sock")
        responder = Responder(path, lambda question: odd if "odd" in question else "OK encrypt")
        self.addCleanup(responder.close)
        with Clients(self.board, [f"unix:{path}"], rate=1000, seed=1, patience_ms=200) as clients:
            wait_until(lambda: until(clients.tally), lambda: f"the clients see it: {clients.tally}")
        return clients

    def test_are_content_with_what_is_allowed(self):
        for reply in ("OK may", "OK encrypt"):
            with self.subTest(reply=reply):
                clients = self.ask(reply, lambda tally: tally["lookups"] > 200)
                self.assertTrue(clients.is_well())
                self.assertEqual((100.0, []), (clients.availability(), clients.complaints))
                os.unlink(os.path.join(self.folder, "responder.sock"))

    def test_see_an_answer_that_is_weaker(self):
        for reply in ("NOTFOUND ", "OK none"):
            with self.subTest(reply=reply):
                clients = self.ask(reply, lambda tally: tally["weaker"] > 0)
                self.assertFalse(clients.is_well())
                self.assertEqual({"complaint": "weaker", "question": "policy odd.example", "reply": reply,
                                  "allowed": "OK may or OK encrypt"}, clients.complaints[0])
                os.unlink(os.path.join(self.folder, "responder.sock"))

    def test_see_an_answer_that_is_otherwise_wrong(self):
        for reply in ("OK secure", "OK rubbish", "PERM no"):
            with self.subTest(reply=reply):
                self.assertFalse(self.ask(reply, lambda tally: tally["wrong"] > 0).is_well())
                os.unlink(os.path.join(self.folder, "responder.sock"))

    def test_see_that_nothing_comes(self):
        self.assertFalse(self.ask(None, lambda tally: tally["late"] > 0).is_well())

    def test_count_what_postfix_would_defer(self):
        for reply in ("TEMP not now", ""):
            with self.subTest(reply=reply):
                clients = self.ask(reply, lambda tally: tally["deferred"] > 0)
                self.assertTrue(clients.is_well())
                self.assertLess(clients.availability(), 100.0)
                os.unlink(os.path.join(self.folder, "responder.sock"))

    def test_go_by_the_board_as_it_is_changed(self):
        self.board.allow("policy odd.example", "NOTFOUND ")
        self.assertTrue(self.ask("NOTFOUND ", lambda tally: tally["lookups"] > 200).is_well())


if __name__ == "__main__":
    unittest.main()
