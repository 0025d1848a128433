"""CPython as the oracle: one process for each interpreter, which runs as long as the whole test.

Verdicts are cached by contents, so a round asks only about changed files.
"""
import marshal
import os
import subprocess

ORACLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle.py")


class Judge:
    """The verdicts of one interpreter on sources and bytecode."""
    shared = {}

    @classmethod
    def of(cls, python):
        """The judge that runs `python`; one for each path."""
        if python not in cls.shared:
            cls.shared[python] = cls(python)
        return cls.shared[python]

    def __init__(self, python):
        self.python = python
        self.process = subprocess.Popen([python, "-I", ORACLE, "--serve"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, cwd="/", env={"PATH": os.environ["PATH"]})
        hello = marshal.load(self.process.stdout)
        self.magic, self.tag, self.version = hello["magic"], hello["tag"], hello["version"]
        self.verdicts = {}
        self.hashes = {}

    def ask(self, kind, items):
        self.process.stdin.write(marshal.dumps((kind, items), 2))
        self.process.stdin.flush()
        return marshal.load(self.process.stdout)

    def judge(self, questions):
        """Takes a list of (path, source, level, body or None); returns a list of (compiles, difference or None)."""
        if len(self.verdicts) > 50000:
            self.verdicts.clear()
        unknown = list({question for question in questions if question not in self.verdicts})
        if unknown:
            self.verdicts.update(zip(unknown, self.ask("judge", unknown)))
        return [self.verdicts[question] for question in questions]

    def source_hash(self, source):
        if source not in self.hashes:
            if len(self.hashes) > 20000:
                self.hashes.clear()
            self.hashes[source] = self.ask("hash", [source])[0]
        return self.hashes[source]

    def body(self, path, source):
        """The body of bytecode for a source that compiles."""
        return self.ask("code", [(path, source)])[0]
