"""Stands in for Dovecot's auth service (its client protocol 1.1): every user's password is "secret"."""

import base64
import os
import socket
import threading

GREETING = "VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n"


class Authentication:
    """Use as a context: listens on `path` as long as that lasts."""

    def __init__(self, path):
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        os.chmod(path, 0o666)
        self._listener.listen()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self):
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    @staticmethod
    def _serve(peer):
        with peer, peer.makefile("rw", encoding="utf-8", newline="\n") as lines:
            lines.write(GREETING)
            lines.flush()
            for line in lines:
                word, *fields = line.rstrip("\n").split("\t")
                if word != "AUTH":
                    continue
                answer = next(field for field in fields if field.startswith("resp="))
                _, user, password = base64.b64decode(answer[len("resp="):]).decode().split("\0")
                verdict = "OK" if password == "secret" else "FAIL"
                lines.write(f"{verdict}\t{fields[0]}\tuser={user}\n")
                lines.flush()
