"""What a maintainer script says in plain words. It is read, never run: line
continuations, quotes, variables and loops over plain words are understood."""

import itertools
import re
import shlex

ASSIGNMENT = re.compile(r"^\s*(?:local\s+|export\s+)?([A-Za-z_]\w*)=(\"[^\"`$]*\"|'[^']*'|[^\s\"'`$;()]*)\s*;?\s*$")
LOOP = re.compile(r"^\s*(?:for\s+([A-Za-z_]\w*)\s+in\b([^$`;*()\"']*)(?:;\s*do\b\s*)?|(?:while|until)\b(?:(?!\bdone\b).)*)$")
DONE = re.compile(r"^\s*done\b")
# Of nested loops; more is no list of words.
MOST = 1000
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def substituted(line, variables):
    """The line with the variables that are known; others stay as they are."""
    return VARIABLE.sub(lambda match: variables.get(match[1] or match[2], match[0]), line)


def commands(script, program):
    """The words after the program's name of each call of it, to the end of the command."""
    found, variables, loops = [], {}, []
    call = re.compile(rf"(?:^|(?<=[\s;&|(/])){re.escape(program)}(?=\s)")
    for line in script.replace("\\\n", " ").split("\n"):
        plain = substituted(line, variables)
        if match := ASSIGNMENT.match(plain):
            variables[match[1]] = match[2].strip("\"'")
        elif match := LOOP.match(plain):
            loops.append((match[1], match[2].split() if match[1] else [""]))
        elif DONE.match(line) and loops:
            loops.pop()
        if line.lstrip().startswith("#") or not call.search(line):
            continue
        for values in itertools.islice(itertools.product(*(words for _, words in loops)), MOST):
            known = {**variables, **dict(zip((name for name, _ in loops), values))}
            text = substituted(line, known)
            found.append(words_of(text[call.search(text).end() :]))
    return found


def words_of(text):
    """The words up to the end of the command; none when it cannot be read."""
    for candidate in (text, text.partition(")")[0]):
        # what follows the bracket of a $(…) may be the end of a quotation
        words = shlex.shlex(candidate, posix=True, punctuation_chars=True)
        words.whitespace_split, words.commenters = True, "#"
        try:
            words = list(words)
            break
        except ValueError:
            continue
    else:
        return []
    end = next((i for i, word in enumerate(words) if word[:1] in tuple(";&|<>()")), len(words))
    # the number of what is redirected is no word
    redirected = end < len(words) and words[end][:1] in "<>" and end and words[end - 1].isdigit()
    return words[: end - 1 if redirected else end]
