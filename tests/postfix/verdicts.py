"""What three clients say of one mail host at each level: tlspolicyctl probe, posttls-finger, openssl s_client."""

import json
import os
import subprocess

CTL = os.path.join(os.environ["TLSPOLICYD_BIN"], "tlspolicyctl")
PROFILE_OF = {"encrypt": "required", "verify": "verified", "secure": "secure", "fingerprint": "pinned"}
PATIENCE = "8"


def probe(folder, ca_file, *arguments):
    """The targets as `probe --json` shows them."""
    os.makedirs(folder, exist_ok=True)
    config = os.path.join(folder, "probe.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(f"tls_ca_file = {ca_file}\nresolver = 127.0.0.1\n"
                   "probe_allow = 127.0.0.0/8, 203.0.113.0/24, 198.51.100.0/24, 192.0.2.0/24\n")
    done = subprocess.run([CTL, "--config", config, "probe", "--json", "--timeout", f"{PATIENCE}s", *arguments],
                          capture_output=True, text=True, check=False, timeout=120)
    if done.returncode not in (0, 1):
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def ours(found):
    """Level -> whether mail would go; "unknown" counts as no."""
    return {level: found["would_deliver"][profile] is True for level, profile in PROFILE_OF.items()}


def finger(config, ca_file, found):
    """What Postfix's own TLS client says of the same host."""
    target, address = found["target"], found["mx"][0]["addresses"][0]
    host = found["mx"][0]["host"]
    match = {"encrypt": [], "verify": [host], "secure": [host],
             "fingerprint": [address["chain"][0]["key_fingerprint"] if address["chain"] else "00:00"]}
    answers = {}
    for level, names in match.items():
        done = subprocess.run(
            ["posttls-finger", "-c", "-l", level, "-d", "sha256", "-F", ca_file, "-L", "summary", "-T", PATIENCE,
             "-t", PATIENCE, target, *names],
            env={**os.environ, "MAIL_CONFIG": config}, capture_output=True, text=True, timeout=60, check=False)
        said = done.stdout + done.stderr
        wanted = "TLS connection established" if level == "encrypt" else "Verified TLS connection established"
        answers[level] = wanted in said
    return answers


def openssl(ca_file, found):
    """What OpenSSL's client says: `encrypt` with whatever there is, `verify` with what Postfix asks for."""
    address = found["mx"][0]["addresses"][0]
    host = found["mx"][0]["host"]

    def connect(*options):
        done = subprocess.run(
            ["openssl", "s_client", "-starttls", "smtp", "-connect", f"{address['address']}:{address['port']}",
             "-CAfile", ca_file, "-no-CApath", "-no-CAstore", "-min_protocol", "TLSv1", "-noservername", *options],
            input="QUIT\r\n", capture_output=True, text=True, timeout=60, check=False)
        return "Cipher is " in done.stdout and "Cipher is (NONE)" not in done.stdout, done.stdout

    encrypts, _ = connect("-cipher", "ALL:@SECLEVEL=0")
    speaks, said = connect("-cipher", "ALL:!aNULL:@SECLEVEL=1", "-verify_hostname", host)
    return {"encrypt": encrypts, "verify": speaks and "Verification: OK" in said}
