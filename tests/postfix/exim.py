"""A private Exim, out of a package that is unpacked and not installed: one listener, which takes no mail."""

import glob
import os
import signal
import subprocess
import time

import exim_root
from instance import LOOK_EVERY
from run import SPOOL

CONFIGURATION = """
primary_hostname = mx.exim.test
local_interfaces = <; 0.0.0.0
daemon_smtp_ports = {ports}
spool_directory = {directory}/spool
log_file_path = {directory}/log-%s
pid_file_path = {directory}/pid
tls_advertise_hosts = *
tls_certificate = {chain}
tls_privatekey = {key}
tls_require_ciphers = {ciphers}
smtp_accept_max = 100
host_lookup =
rfc1413_query_timeout = 0s
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
begin acl
mail:
  deny !encrypted = *
       condition = ${{if eq{{$received_port}}{{{tls_only_port}}}}}
       message = 5.7.0 Must issue a STARTTLS command first
  accept
rcpt:
  deny
"""


class Exim:
    """Use as a context. MAIL FROM at `tls_only_port` needs TLS."""

    def __init__(self, directory, certificate, port, tls_only_port=0, ciphers="NORMAL"):
        self.name_account()
        self._ports = [port] + ([tls_only_port] if tls_only_port else [])
        self._directory = directory
        os.makedirs(os.path.join(directory, "spool"))
        # Its own user reads the key.
        key = os.path.join(directory, "key.pem")
        with open(certificate.key, encoding="ascii") as source, open(key, "w", encoding="ascii") as copy:
            copy.write(source.read())
        self.configuration = os.path.join(directory, "exim.conf")
        with open(self.configuration, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(ports=" : ".join(map(str, self._ports)), directory=directory,
                                            chain=certificate.chain, key=key, ciphers=ciphers,
                                            tls_only_port=tls_only_port))
        subprocess.run(["chown", "-R", f"{exim_root.NUMBER}:{exim_root.NUMBER}", directory], check=True)
        subprocess.run(["chown", "root:root", self.configuration], check=True)
        self._process = None

    def name_account(self):
        """Only these namespaces know of it."""
        for path, line in (("/etc/passwd", exim_root.passwd_line()), ("/etc/group", exim_root.group_line())):
            with open(path, encoding="utf-8") as file:
                known = file.read()
            if f"\n{exim_root.ACCOUNT}:" in known:
                continue
            ours = os.path.join(SPOOL, os.path.basename(path))
            with open(ours, "w", encoding="utf-8") as file:
                file.write(f"{known}{line}\n")
            subprocess.run(["mount", "--bind", ours, path], check=True)

    @staticmethod
    def library_folders(root):
        return sorted({os.path.dirname(path) for path in glob.glob(f"{root}/**/*.so.*", recursive=True)})

    def command(self, *arguments):
        root = exim_root.folder()
        return ["env", "LD_LIBRARY_PATH=" + ":".join(self.library_folders(root)), os.path.join(root, exim_root.PROGRAM),
                "-C", self.configuration, *arguments]

    def version(self):
        shown = subprocess.run(self.command("-bV"), capture_output=True, text=True, check=True).stdout
        return shown.split()[2]

    def __enter__(self):
        self._process = subprocess.Popen(  # pylint: disable=consider-using-with
            self.command("-bdf"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        deadline = time.monotonic() + 30
        while "daemon started" not in self.log():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"Exim does not start: {self.log()}")
            time.sleep(LOOK_EVERY)
        return self

    def __exit__(self, *_):
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(30)

    def log(self):
        said = ""
        for path in glob.glob(os.path.join(self._directory, "log-*")):
            with open(path, encoding="utf-8", errors="replace") as file:
                said += file.read()
        return said
