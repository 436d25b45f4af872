"""What tlspolicyctl says of itself: the --help of every verb, read into names."""
import re
import subprocess

from ctl_desk import CTL, PATIENCE

GLOBAL = {"h", "-help"}


def help_of(*verb):
    return subprocess.run([CTL, *verb, "--help"], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout


def sections(text):
    """Headings, in lower case, and the lines below each."""
    found, lines = {}, []
    for line in text.splitlines():
        if re.fullmatch(r"\S.*:", line):
            lines = found.setdefault(line[:-1].lower(), [])
        else:
            lines.append(line)
    return found


def verbs_in(text):
    lines = [line for heading, below in sections(text).items() if heading not in ("options", "positionals")
             for line in below]
    return [match.group(1) for line in lines if (match := re.match(r"  ([a-z][a-z-]*)(?: |$)", line))]


def options_in(text):
    """"-help", "f": without their first hyphen, as mdoc's Fl wants them."""
    names = set()
    for line in sections(text).get("options", []):
        if match := re.match(r" {2,6}(-\S.*?)(?:  |$)", line):
            names |= set(re.findall(r"(?:^|[ ,])-(-?[A-Za-z][A-Za-z0-9-]*)", match.group(1)))
    return names


def all_verbs(*verb):
    """Each verb that does something, as its words, with its options."""
    text = help_of(*verb)
    below = verbs_in(text)
    if not below:
        return {" ".join(verb): options_in(text) - GLOBAL}
    return {name: options for each in below for name, options in all_verbs(*verb, each).items()}
