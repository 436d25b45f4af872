"""tlspolicyctl query, status and accept, against sockets that answer as the daemon would."""
import json
import socket
import unittest

from ctl_desk import DONE, FAILED, NOT_WELL, Answering, Desk

IMAGE = {"digest": "00c0ffee", "built_at": 1795335300, "rows": 12, "faulty_rows": 0, "profiles": 10}
ANSWER = {"pid": 78, "digest": "00c0ffee", "connections": 5, "lookups": 100, "not_found": 60, "ok": 37,
          "temp": 2, "perm": 1, "malformed": 3, "policyd": 4}
WELL = {"ok": True, "version": "0.1.0", "mode": "enforce", "pid": 77, "image": IMAGE, "answer": ANSWER,
        "policy_db": {"path": "/x/policy.db", "state": "live", "code": "", "text": "", "since": 1795335300},
        "pending": None, "faults": [], "fault_count": 0, "alarms": []}


def netstring(text):
    data = text.encode()
    return b"%d:%s," % (len(data), data)


def is_request(heard):
    return heard.endswith(b",")


class Query(Desk):
    def tcp(self, text, **options):
        server = Answering.on_tcp(is_request, netstring(text), **options)
        host = "[::1]" if options else "127.0.0.1"
        self.configure(tlsmap_listen=f"inet:{host}:{server.port}")
        return server

    def test_one_question_goes_out_as_postfix_would_send_it(self):
        with self.tcp("OK encrypt") as server:
            self.assertEqual("OK encrypt\n", self.done("query", "Bank.Example"))
            self.assertEqual("OK encrypt\n", self.done("query", "a.example", "--map", "policy-3.10@t1"))
        self.assertEqual([netstring("policy Bank.Example"), netstring("policy-3.10@t1 a.example")], server.heard)

    def test_unix_sockets_and_ipv6_are_asked_too(self):
        with Answering.on_unix(self.folder / "map.sock", is_request, netstring("OK may")):
            self.assertEqual("OK may\n", self.done("query", "a.example"))
        if socket.has_ipv6:
            with self.tcp("OK dane", family=socket.AF_INET6, host="::1"):
                self.assertEqual("OK dane\n", self.done("query", "a.example"))

    def test_json_has_the_parts_of_the_reply(self):
        with self.tcp("OK secure match=a.example"):
            self.assertEqual({"key": "a.example", "map": "policy", "reply": "OK secure match=a.example",
                              "status": "OK", "value": "secure match=a.example"}, self.data("query", "a.example"))

    def test_not_found_is_an_answer_and_done(self):
        with self.tcp("NOTFOUND "):
            self.assertEqual("NOTFOUND \n", self.done("query", "a.example"))
            self.assertEqual(("NOTFOUND", ""),
                             tuple(self.data("query", "a.example")[key] for key in ("status", "value")))

    def test_temp_and_perm_are_not_well(self):
        for text in ("TEMP no policy yet", "PERM unknown map name", "TIMEOUT ", "nonsense"):
            with self.subTest(text=text), self.tcp(text):
                self.assertEqual(text + "\n", self.expect(NOT_WELL, "query", "a.example").stdout)

    def test_without_a_daemon_it_ends_with_3_and_names_the_endpoint(self):
        self.assertIn(f"unix:{self.folder}/map.sock", self.refused(FAILED, "query", "a.example"))
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
            self.configure(tlsmap_listen=f"inet:127.0.0.1:{port}, unix:{self.folder}/none.sock")
            said = self.refused(FAILED, "query", "a.example")
        self.assertIn(f"inet:127.0.0.1:{port}", said)
        self.assertIn("none.sock", said)
        self.assertIn("is it running?", said)

    def test_the_next_listener_is_asked_where_the_first_can_not_be(self):
        with Answering.on_unix(self.folder / "two.sock", is_request, netstring("OK encrypt")):
            self.configure(tlsmap_listen=f"systemd:tlsmap, unix:{self.folder}/one.sock, unix:{self.folder}/two.sock")
            self.assertEqual("OK encrypt\n", self.done("query", "a.example"))
        self.configure(tlsmap_listen="systemd:tlsmap")
        said = self.refused(FAILED, "query", "a.example")
        self.assertIn("systemd", said)
        self.assertIn("postmap -q", said)

    def test_a_daemon_that_hangs_up_is_silent_or_talks_nonsense_ends_with_3(self):
        for reply in (b"", None, b"2:OK", b"HTTP/1.1 400 Bad Request\r\n", b"2:OK,2:OK,"):
            server = Answering.on_tcp(is_request, reply)
            self.configure(tlsmap_listen=f"inet:127.0.0.1:{server.port}")
            with self.subTest(reply=reply), server:
                self.assertIn(f"inet:127.0.0.1:{server.port}", self.refused(FAILED, "query", "a.example"))

    def test_a_hostile_reply_can_not_drive_the_terminal(self):
        with self.tcp("OK \x1b[31m\u202e"):
            self.assertEqual("OK ?[31m?\n", self.done("query", "a.example"))


class Control(Desk):
    def daemon(self, answer):
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode() + b"\n"
        self.control.unlink(missing_ok=True)
        return Answering.on_unix(self.control, lambda heard: heard.endswith(b"\n"), raw)

    def test_status_of_a_daemon_that_is_well(self):
        with self.daemon(WELL) as server:
            text = self.done("status")
            self.assertEqual(WELL, self.data("status"))
        self.assertEqual([{"verb": "status"}] * 2, [json.loads(line) for line in server.heard])
        for words in ("all is well", "0.1.0", "enforce", "/x/policy.db", "live", "12 rows", "10 profiles",
                      "2026-11-22T08:15:00Z", "00c0ffee", "5 connections", "100: 37 OK, 60 NOTFOUND, 2 TEMP, 1 PERM",
                      "3 requests", "4 requests"):
            self.assertIn(words, text)
        self.assertNotIn("To look at", text)

    def test_one_of_a_kind_is_not_called_many(self):
        ones = {**ANSWER, "connections": 1, "malformed": 1, "policyd": 1}
        with self.daemon({**WELL, "image": {**IMAGE, "rows": 1, "profiles": 1}, "answer": ones,
                          "net": {"pid": 1, "watched": 1, "probes": 1}}):
            text = self.done("status")
        for words in ("1 row,", "1 profile\n", "1 connection\n", "1 request\n", "1 destination watched", "1 connection,"):
            self.assertIn(words, text)
        self.assertNotRegex(text, r"\b1 (rows|profiles|connections|requests|destinations)\b")

    def test_status_of_one_that_is_not_ends_with_1_and_says_what_to_do(self):
        for change, words in (
                ({"policy_db": {"path": "/x", "state": "trouble", "code": "corrupt", "text": "row missing", "since": 1},
                  "troubles": ["policy.db can't be used: row missing"]},
                 ["trouble (corrupt)", "To look at:\n  policy.db can't be used: row missing"]),
                ({"policy_db": {"path": "/x", "state": "waiting", "code": "waiting", "since": 1}}, ["  waiting, since"]),
                ({"troubles": ["one", "another"], "troubles_left_out": 10},
                 ["  one\n  another\n  10 more; ", "status --json"]),
                ({"image": None}, ["none yet", "TEMP"]),
                ({"image": None, "mode": "observe"}, ["none yet", "NOTFOUND (mode observe)"]),
                ({"image": None, "feedback": {"panic": {"mode": "observe", "until": 2 ** 33}}},
                 ["none yet", "NOTFOUND (mode observe)"]),
                ({"answer": None}, ["not reported"]),
                ({"answer": {**ANSWER, "digest": "old"}}, ["another policy than the one published"]),
                ({"troubles": ["a \x1b[31mred one"]}, ["a ?[31mred one"])):
            with self.subTest(change=change), self.daemon({**WELL, "ok": False, **change}):
                text = self.expect(NOT_WELL, "status").stdout
                for word in ["not well", *words]:
                    self.assertIn(word, text)
                self.expect(NOT_WELL, "status", "--json")

    def test_an_answer_of_another_shape_does_no_harm(self):
        for answer in ({}, {"ok": 1, "image": [], "faults": [7, None], "troubles": "x", "troubles_left_out": "9",
                        "alarms_raised": {"total": "x", "freeze": None, "\x1b": 1}},
                       {"ok": False, "policy_db": {"since": -1}, "image": {"built_at": 2 ** 63 - 1}}):
            with self.subTest(answer=answer), self.daemon(answer):
                self.expect(NOT_WELL, "status")
        for raw in (b"[]\n", b"nonsense\n", b"{}", b"", b"\xff\xfe\n", b"[" * 100000 + b"\n"):
            with self.subTest(raw=raw[:20]), self.daemon(raw):
                self.assertIn(str(self.control), self.refused(FAILED, "status"))

    def test_a_hostile_text_can_not_drive_the_terminal(self):
        with self.daemon({**WELL, "ok": False, "mode": "\x1b[31m", "alarms": ["\x1b[2J"]}):
            self.assertNotIn("\x1b", self.expect(NOT_WELL, "status").stdout)

    def test_without_a_daemon_both_end_with_3_and_name_the_socket(self):
        for verb in ("status", "accept"):
            said = self.refused(FAILED, verb)
            self.assertIn(str(self.control), said)
            self.assertIn("is it running", said)

    def test_a_panic_that_nobody_hears_names_the_line_that_takes_us_out_of_postfix(self):
        said = self.refused(FAILED, "panic", "observe", "--for", "1h")
        self.assertIn(str(self.control), said)
        self.assertIn("postconf -e 'smtp_tls_policy_maps ='", said)

    def test_a_daemon_that_says_nothing_is_not_waited_for_for_ever(self):
        with self.daemon(WELL) as server:
            server.reply = None
            self.assertIn("no answer in time", self.refused(FAILED, "status"))

    def test_accept_publishes_and_says_what(self):
        accepted = {"ok": True, "published": True, "rows": 100, "dropped": 900, "weakened": 5,
                    "text": "published: 100 rows; 900 dropped, 5 weakened"}
        with self.daemon(accepted) as server:
            self.assertEqual(accepted["text"] + "\n", self.done("accept"))
            self.assertEqual(accepted, self.data("accept"))
        self.assertEqual([{"verb": "accept"}] * 2, [json.loads(line) for line in server.heard])

    def test_accept_that_comes_to_nothing_ends_with_3(self):
        with self.daemon({"ok": False, "error": "the database is locked"}):
            self.assertIn("the database is locked", self.refused(FAILED, "accept"))
        with self.daemon({"ok": True, "published": False, "text": "nothing waits to be accepted"}):
            self.assertEqual((DONE, "nothing waits to be accepted\n"), (DONE, self.done("accept")))


if __name__ == "__main__":
    unittest.main()
