"""Makes mutants of C++ source: the same text with one small change, as a slip of the hand would make
it. Reads tokens, not the language, and relies on the tree being clang-format'ed: a `<` with blanks
around it compares, one without them belongs to a template. What does not compile is no mutant."""
import re
import typing


class Mutant(typing.NamedTuple):
    path: str
    line: int      # the first line that differs
    kind: str      # compare, logic, negate, arithmetic, constant, return, delete
    before: str    # that line, stripped
    what: str      # "< -> <="
    source: str    # the whole mutated text

    def name(self):
        """What tells it from the others of its file, also after lines were added above it."""
        return f"{self.path} | {self.what} | {self.before}"


SWAPS = [
    ("compare", r" < ", " <= "), ("compare", r" <= ", " < "), ("compare", r" > ", " >= "),
    ("compare", r" >= ", " > "), ("compare", r" == ", " != "), ("compare", r" != ", " == "),
    ("logic", r" && ", " || "), ("logic", r" \|\| ", " && "), ("logic", r"(?<=[ (])!(?=[\w(])", ""),
    ("arithmetic", r"(?<=[\w)\]]) \+ (?=[\w(])", " - "),
    ("arithmetic", r"(?<=[\w)\]]) - (?=[\w(])", " + "),
    ("arithmetic", r" \* (?=[\w(])", " / "), ("arithmetic", r" / ", " * "),
    ("arithmetic", r" \+= ", " -= "), ("arithmetic", r" -= ", " += "),
    ("arithmetic", r"\+\+", "--"),
    ("constant", r"(?<![\w.'])0(?![\w.'])", "1"),
    ("constant", r"\btrue\b", "false"), ("constant", r"\bfalse\b", "true"),
]
NUMBER = re.compile(r"(?<![\w.'])([1-9][0-9']*)(?=[;,)}\] ])")
# What {} is the same as, or what another mutant stands for.
NOTHING = ("true", "false", "std::nullopt", "nullptr", '""')
CONDITION = re.compile(r"\b(?:if|while) \(")
# A statement that stands by itself and does something: an assignment or a call, no declaration.
STATEMENT = re.compile(r"^\s+(?!return\b|using\b|break\b|continue\b|case\b|const\b|auto\b|static\b"
                       r"|throw\b|goto\b|else\b|\}|struct\b|class\b|if\b|for\b|while\b|std::\w+\b [a-z])"
                       r"[\w:.>\[\]()*+-]+(?:\(.*\)| [+|&-]?= .*|\+\+|--);$")


def blank_out(text):
    """The text with comments, strings, characters and preprocessor lines made of blanks: the same
    places, nothing to mutate."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)\''
                         r"|^[ \t]*#[^\n]*", re.S | re.M)
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def end_of_condition(code, opening):
    """Where the parenthesis that opens there closes, and where the condition begins behind an
    initialiser: `if (const auto found = find(); found)`."""
    depth, begins = 0, opening + 1
    for place in range(opening, len(code)):
        if code[place] in "([{":
            depth += 1
        elif code[place] in ")]}":
            depth -= 1
            if depth == 0:
                return begins, place
        elif code[place] == ";" and depth == 1:
            begins = place + 1
    return None


def negations(code):
    for found in CONDITION.finditer(code):
        span = end_of_condition(code, found.end() - 1)
        if span is None or re.match(r"\s*(const )?[\w:<>*]+&?&? \w+ = ", code[span[0]:span[1]]):
            continue
        yield span


def swaps(code):
    """(kind, from, to, what stands there then) for each place where a token can be another."""
    for kind, pattern, put in SWAPS:
        for found in re.finditer(pattern, code):
            yield kind, found.start(), found.end(), put
    for found in NUMBER.finditer(code):
        yield "constant", found.start(), found.end(), str(int(found.group(1).replace("'", "")) + 1)


def mutants_of(path, text):
    """Every mutant of `text`, in order of place."""
    code = blank_out(text)
    found = []

    def add(kind, start, end, put, what):
        line = text.count("\n", 0, start) + 1
        before = text.split("\n")[line - 1].strip()
        found.append((start, Mutant(path, line, kind, before, what, text[:start] + put + text[end:])))

    for kind, start, end, put in swaps(code):
        add(kind, start, end, put, f"{text[start:end].strip() or '!'} -> {put.strip() or 'nothing'}")
    for start, end in negations(code):
        add("negate", start, end, f" !({text[start:end].strip()})".lstrip(), "the condition negated")
    for one in re.finditer(r"\breturn ([^;{}]+);", code):
        if one.group(1) not in NOTHING and not one.group(1).strip().isdigit():
            add("return", one.start(1), one.end(1), "{}", "returns {} instead")
    place = 0
    for line, bare in zip(text.split("\n"), code.split("\n")):
        if STATEMENT.match(bare) and bare.count("(") == bare.count(")"):
            inset = len(bare) - len(bare.lstrip())
            add("delete", place + inset, place + len(line), ";", "the statement deleted")
        place += len(line) + 1
    return [mutant for _, mutant in sorted(found, key=lambda pair: (pair[0], pair[1].what))]
