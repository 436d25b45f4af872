"""Throw-away certificates, made with the openssl command."""

import dataclasses
import hashlib
import os
import ssl
import subprocess

NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


@dataclasses.dataclass(frozen=True)
class Certificate:
    chain: str  # PEM file
    key: str    # PEM file

    def fingerprint(self):
        """As Postfix writes it at level fingerprint."""
        with open(self.chain, encoding="ascii") as file:
            der = ssl.PEM_cert_to_DER_cert(file.read())
        return ":".join(f"{octet:02X}" for octet in hashlib.sha256(der).digest())

    def tlsa(self):
        """The data of a TLSA record 3 1 1: the digest of the public key."""
        public_key = run("x509", "-in", self.chain, "-noout", "-pubkey")
        der = run("pkey", "-pubin", "-outform", "der", feed=public_key)
        return bytes([3, 1, 1]) + hashlib.sha256(der).digest()


def run(*arguments, feed=None):
    done = subprocess.run(["openssl", *arguments], input=feed, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {' '.join(arguments)}: {done.stderr.decode()}")
    return done.stdout


class Authority:
    """A CA in `directory`; one that another one vouches for, where there is an `issuer`."""

    def __init__(self, directory, name, issuer=None):
        self._directory = directory
        self._name = name
        self.certificate = issuer.issue(name, [name], ca=True) if issuer else self.self_signed(name)

    def _paths(self, name):
        base = os.path.join(self._directory, f"{self._name}-{name}")
        return Certificate(base + ".pem", base + ".key")

    def self_signed(self, name):
        made = self._paths(name)
        run("req", "-x509", *NEW_KEY, "-subj", f"/CN={name}", "-days", "30",
            "-addext", f"subjectAltName=DNS:{name}",
            "-keyout", made.key, "-out", made.chain)
        return made

    def issue(self, label, names, addresses=(), days=30, key=NEW_KEY, digest="-sha256", ca=False):
        made = self._paths(label)
        run("req", "-x509", "-CA", self.certificate.chain, "-CAkey", self.certificate.key, *key, digest,
            "-subj", f"/CN={names[0] if names else label}", "-days", str(days),
            *self._extensions(names, addresses, ca), "-keyout", made.key, "-out", made.chain)
        return made

    def issue_expired(self, label, names):
        made = self._paths(label)
        request = made.chain + ".request"
        run("req", "-new", *NEW_KEY, "-subj", f"/CN={names[0]}", *self._extensions(names),
            "-keyout", made.key, "-out", request)
        # `ca` alone takes both dates, in every version.
        run("ca", "-batch", "-notext", "-config", self._office(), "-startdate", "20200101000000Z",
            "-enddate", "20200201000000Z", "-cert", self.certificate.chain,
            "-keyfile", self.certificate.key, "-in", request, "-out", made.chain)
        return made

    def _office(self):
        """What `openssl ca` keeps its books by."""
        folder = os.path.join(self._directory, f"{self._name}-office")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, "ca.cnf")
        with open(os.path.join(folder, "index"), "a", encoding="ascii"):
            pass
        with open(path, "w", encoding="ascii") as file:
            file.write(f"[ca]\ndefault_ca = here\n[here]\ndatabase = {folder}/index\n"
                       f"new_certs_dir = {folder}\nrand_serial = yes\ndefault_md = sha256\n"
                       "policy = any\ncopy_extensions = copyall\n[any]\ncommonName = supplied\n")
        return path

    @staticmethod
    def _extensions(names, addresses=(), ca=False):
        alternatives = [*(f"DNS:{name}" for name in names), *(f"IP:{address}" for address in addresses)]
        return ["-addext", "subjectAltName=" + ",".join(alternatives),
                "-addext", f"basicConstraints=critical,CA:{'TRUE' if ca else 'FALSE'}"]
