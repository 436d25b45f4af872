"""The daemon's control socket, spoken to without tlspolicyctl: one JSON object and a line end each way."""

import json
import socket


def ask_control(path, request, patience=20):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(patience)
        connection.connect(path)
        connection.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(connection.makefile("rb").readline())
