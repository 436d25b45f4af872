"""The service manager's end of sd_notify(3): a datagram socket that keeps what it was told."""

import os
import socket
import time


class NotifySocket:
    def __init__(self, path):
        self.path = path
        if os.path.exists(path):
            os.unlink(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        self.messages = []  # lists of assignments, as they came

    def close(self):
        self._socket.close()

    def collect(self, patience=0.0):
        """Takes what has arrived, or waits so long for something; whether anything came."""
        self._socket.settimeout(patience or None)
        flags = 0 if patience else socket.MSG_DONTWAIT
        try:
            self.messages.append(self._socket.recv(65536, flags).decode().split("\n"))
        except (TimeoutError, BlockingIOError):
            return False
        return True

    def drain(self):
        while self.collect():
            pass
        return self.messages

    def count(self, assignment):
        self.drain()
        return sum(assignment in message for message in self.messages)

    def wait_for(self, assignment, start=0, within=30.0, is_hopeless=lambda: False):
        """The index of the first message from `start` that holds `assignment`."""
        deadline = time.monotonic() + within
        while True:
            for index in range(start, len(self.messages)):
                if any(line.startswith(assignment) for line in self.messages[index]):
                    return index
            if not self.collect(0.05) and (is_hopeless() or time.monotonic() > deadline):
                raise AssertionError(f"{assignment} did not come; {self.messages[start:]} did")
