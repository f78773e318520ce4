"""The commands of a shell script, as far as they can be told without running it. Whatever is not
plain is told as a reason why not: better one command too many than one too few."""

import re
import shlex

INTERPRETER = re.compile(r"#!\s*/bin/(?:sh|bash|dash)\b")
# A line that is a comment goes before all else: nothing goes on in it, and nothing begins.
WHOLE_COMMENT = re.compile(r"^\s*#.*\n?", re.MULTILINE)
COMMENT = re.compile(r"(?<=[\s;&|(])#.*$", re.MULTILINE)
# What a `#` may be besides the begin of one.
NO_COMMENT = re.compile(r"['\"`$\\]")
HERE = re.compile(r"<<(-?)\s*(['\"]?)([^\s'\";&|<>()]+)\2(.*)\n((?:.*\n)*?)[ \t]*\3[ \t]*(?=\n|\Z)")
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=.*", re.DOTALL)
BEFORE = {"if", "then", "elif", "else", "while", "until", "do", "!", "{", "time"}
AFTER = {"fi", "done", "esac", "}"}
PUNCTUATION = "();<>|&\n"


class Commands:
    """`found`: words of each command. `unread`: what could not be told, in words for people."""

    def __init__(self, script):
        self.found, self.unread, self.functions = [], [], set()
        if not INTERPRETER.match(script):
            self.unread.append("a program that is no shell script")
            return
        text = HERE.sub(self._here, WHOLE_COMMENT.sub("", script)).replace("\\\n", " ")
        text = "\n".join(map(self._without_comment, text.split("\n")))
        lexer = shlex.shlex(text, posix=True, punctuation_chars=PUNCTUATION)
        lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
        try:
            tokens = list(lexer)
        except ValueError:
            self.unread.append("text that cannot be read")
            return
        self._read([part for token in tokens for part in parts(token)])

    def _here(self, match):
        """What stands around a here-document. Between plain words its text is a program's; commands in it are told."""
        if not match[2]:
            self._substituted(match[5])
        return match[4]

    def _without_comment(self, line):
        if (comment := COMMENT.search(line)) and NO_COMMENT.search(line):
            self.unread.append("a line in which a # may be anything")
            return line[: comment.start()]
        return COMMENT.sub("", line)

    def _read(self, tokens):
        self.words, self.nested, cases, place = [], [], [], 0
        while place < len(tokens):
            token, after = tokens[place], tokens[place + 1] if place + 1 < len(tokens) else "\n"
            place += 1
            if cases and cases[-1] == "pattern":
                # up to the bracket that ends it; an `esac` ends the whole
                if token == "esac":
                    cases.pop()
                elif token == ")":
                    cases[-1] = "commands"
            elif token in ("<", ">", ">>", ">|", "<&", ">&", "&>"):
                self._redirected(token, after)
                place += 1
            elif token == ";;":
                self._end()
                if cases:
                    cases[-1] = "pattern"
            elif token == "(" and after == ")" and len(self.words) == 1:
                self.functions.add(self.words.pop())
                place += 1
            elif token == "(":
                # of a substitution, of which its value is a word, or of a shell of its own
                self.nested.append(self.words)
                self.words = []
            elif token == ")":
                self._end()
                self.words = self.nested.pop() if self.nested else []
            elif token in (";", "\n", "&&", "||", "|", "&"):
                self._end()
            elif not self.words and token in BEFORE:
                pass
            elif not self.words and token in AFTER:
                if token == "esac" and cases:
                    cases.pop()
            elif not self.words and token in ("for", "case"):
                ends = {"for": ("do",), "case": ("in",)}[token]
                while place < len(tokens) and tokens[place] not in ends:
                    self._substituted("".join(tokens[place : place + 2]))
                    place += 1
                place += 1
                if token == "case":
                    cases.append("pattern")
            else:
                self._substituted(token)
                if self.words or not ASSIGNMENT.fullmatch(token):
                    self.words.append(token)
        self._end()

    def _end(self):
        if self.words:
            self.found.append(self.words)
        self.words = []

    def _redirected(self, sign, target):
        # `2>&1`: the number before is no word
        if self.words and self.words[-1].isdigit():
            self.words.pop()
        if not set(target) - set(PUNCTUATION):
            self.unread.append("text that cannot be read")
        elif not sign.startswith("<") and target != "/dev/null" and not (sign == ">&" and re.fullmatch(r"\d|-", target)):
            self.unread.append(f"what it writes to {target}")

    def _substituted(self, token):
        """A command inside quotes: its words are not told apart here."""
        if "`" in token or "$(" in token:
            self.unread.append("a command whose output it uses")


def parts(token):
    """A run of punctuation as the signs that it is made of."""
    return re.findall(r"&&|\|\||;;|>>|>\||<&|>&|&>|.", token, re.DOTALL) if token and not set(token) - set(PUNCTUATION) else [token]
