"""The questions of the soak and which answers are allowed to each now; the clients read it as it is written.

A change that an admin makes goes through three states: the old answer, both while the change is on its way, the new
one once it was seen. What the clients had on its way meanwhile may have the answers of either end.
"""
import mmap
import os

# Weakest first, as the clients rank them.
ANSWERS = ("NOTFOUND ", "OK none", "OK may", "OK encrypt", "OK dane-only", "OK verify", "OK secure")
PROFILES = {None: "NOTFOUND ", "off": "OK none", "native": "OK may", "required": "OK encrypt",
            "dane-only": "OK dane-only", "verified": "OK verify", "secure": "OK secure"}
STRICT_PROFILES = ("required", "dane-only", "verified", "secure")


def bits(*answers):
    return sum(1 << ANSWERS.index(answer) for answer in set(answers))


class Board:
    def __init__(self, folder, questions):
        """`questions`: "MAP KEY" to its answers."""
        os.mkdir(folder)
        self.folder = folder
        self._numbers = {question: number for number, question in enumerate(questions)}
        for name, lines in (("questions", questions), ("answers", ANSWERS)):
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.writelines(f"{line}\n" for line in lines)
        with open(os.path.join(folder, "allowed"), "w+b") as file:
            file.write(bytes(bits(*answers) for answers in questions.values()))
            file.flush()
            self._allowed = mmap.mmap(file.fileno(), 0)

    def __len__(self):
        return len(self._numbers)

    def allow(self, question, *answers):
        self._allowed[self._numbers[question]] = bits(*answers)

    def close(self):
        self._allowed.close()
