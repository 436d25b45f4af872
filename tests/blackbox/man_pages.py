"""The manual pages as their sources say them: what is documented, and the examples."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "packaging" / "man"
NAMES = ("tlspolicyctl.8", "tlspolicyd-schema.5", "tlspolicyd.8", "tlspolicyd.conf.5")
MACRO = re.compile(r"[A-Z][a-z]$")


def read(name):
    return (FOLDER / name).read_text(encoding="utf-8")


def chapters(name):
    """Title to text, of each .Sh."""
    parts = re.split(r"^\.Sh (.*)\n", read(name), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def examples(name):
    """The lines of each literal block among the examples, as a reader sees them."""
    blocks = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", chapters(name)["EXAMPLES"], re.M | re.S)
    return [block.replace("\\e", "\\").splitlines() for block in blocks]


def options_below(text):
    """Of the items of a list, without their first hyphen: "-config", "h"."""
    return {name for line in re.findall(r"^\.It Fl .*", text, re.M) for name in re.findall(r"\bFl (\S+)", line)}


def keys():
    """Of tlspolicyd.conf(5): key to (default, the text below it on one line)."""
    parts = re.split(r"^\.It Ic (\w+) No =(?: (?:Pa|Li) (\S+))?\n", chapters("tlspolicyd.conf.5")["KEYS"], flags=re.M)
    return {key: (default or "", " ".join(text.split()))
            for key, default, text in zip(parts[1::3], parts[2::3], parts[3::3])}


def verbs():
    """Of tlspolicyctl(8): each verb to its options, without their first hyphen."""
    found, options = {}, set()
    for line in read("tlspolicyctl.8").splitlines():
        if line.startswith(".It Ic ") and not line.startswith(".It Ic tlspolicyctl"):
            words = line.split()[2:]
            end = next((i for i, word in enumerate(words) if MACRO.match(word)), len(words))
            options = found.setdefault(" ".join(words[:end]), set())
        elif line.startswith(".Sh "):
            options = set()
        elif line.startswith(".It Fl "):
            options |= options_below(line)
    return found


def tables():
    """Of tlspolicyd-schema(5): database to table to its columns, in order."""
    found = {}
    for title, text in chapters("tlspolicyd-schema.5").items():
        if database := re.match(r"TABLES OF (POLICY|STATE)\.DB", title):
            parts = re.split(r"^\.Ss (\w+)\n", text, flags=re.M)
            for table, body in zip(parts[1::2], parts[2::2]):
                found.setdefault(database.group(1).lower(), {})[table] = re.findall(r"^\.It Va (\w+)$", body, re.M)
    return found


def references(name):
    """Every page that it refers to, as name.section."""
    return {".".join(pair) for pair in re.findall(r"\bXr (\S+) (\d)", read(name))}
