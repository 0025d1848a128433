"""Sources that are easily compiled wrongly: constants that are equal but not identical, names, nesting, sizes, failures.

`deep.py --corners` compiles them with every interpreter. If an interpreter cannot parse one, its errors are compared.
"""
import random

LONG = "1234567890" * 40

GOOD = {
    "empty": "",
    "comment": "# nothing",
    "no_newline": "x = 1",
    "docstring": "'''Only a text.'''\n",
    "signs": "a = 4294967296\nb = -4294967296\nc = 2 ** 63\nd = -2 ** 63\ne = (%s, -%s)\nf = {1: 99999999999, 2: -99999999999}\n" % (LONG, LONG),
    "small_signs": "a = (1, -1, 255, -255, 32767, -32767, 32768, -32768, 2147483647, -2147483647, 2147483648, -2147483648, -2147483649)\n",
    "set_signs": "def f(x):\n    return x in {5000000000, -5000000000, 5000000001, -5000000001, 1, -1, 0.0}\n",
    "powers": "".join("x%d = %d\ny%d = -%d\n" % (n, 1 << n, n, 1 << n) for n in range(10, 140)),
    "equal": "a = 1\nb = True\nc = 1.0\nd = 1 + 0j\ne = (1, True, 1.0)\nf = (True, 1, 1.0)\ng = (1.0, 1, True)\nh = ((1,), (True,), (1.0,))\n",
    "zeros": "a = 0\nb = False\nc = 0.0\nd = -0.0\ne = 0j\nf = -0j\ng = (0.0, -0.0)\nh = (-0.0, 0.0)\ni = complex(0.0, -0.0)\nj = -(0.0 + 0j)\nk = (0j, -0j)\n",
    "infinite": "a = 1e999\nb = -1e999\nc = 1e999 - 1e999\nd = 1e999j\ne = 5e-324\nf = 1.7976931348623157e308\ng = 0.1 + 0.2\n",
    "texts": "a = 'x'\nb = b'x'\nc = u'x'\nd = ''\ne = b''\nf = ('', b'', u'')\ng = 'a' 'b'\nh = 'name_like'\ni = 'not name like'\nj = '-'\nk = 'A'\n",
    "unicode": "# -*- coding: utf-8 -*-\na = u'\u00e9'\nb = u'\U0001d120'\nc = u'\\ud834\\udd20'\nd = u'\\ud800'\ne = u'\\udc80'\nf = u'\\0'\ng = u'\\uffff\\U0010ffff'\nh = '\u00e9' * 3\n",
    "latin": b"# -*- coding: latin-1 -*-\na = '\xe9'\nb = u'\xe9\xff'\n",
    "bytes_all": "a = b'%s'\n" % "".join("\\x%02x" % n for n in range(256)),
    "lengths": "".join("t%d = 'q%s'\nu%d = '%s'\n" % (n, "x" * n, n, "x " * n) for n in (0, 1, 127, 128, 254, 255, 256, 257, 65535, 65536)),
    "sets": "def f(x):\n    return x in {1, 2.0, 'a', b'a', None, True, (1, 2), frozenset, ...}\ndef g(x):\n    return x in {'a', 'b', 'c', 'd', 'e', 'ab', 'ba'}\n",
    "nested_sets": "def f(x):\n    return x in {(1, 'a'), (1.0, 'a'), (2, b'a'), ((1,), (2,)), (None, ()), ()}\n",
    "set_twice": "def f(x):\n    return x in {'a', 'b', 3}\ndef g(x):\n    return x in {3, 'b', 'a'}\ndef h(x):\n    return x in {'b', 'a'}\n",
    "tuples": "a = ()\nb = (None,)\nc = ((), ((),), (((),),))\nd = (1, (2, (3, (4, (5,)))))\ne = tuple(())\n" + "f = (%s)\n" % ", ".join(map(str, range(300))),
    "ellipsis": "a = ...\nb = (..., None, NotImplemented)\nc = x[..., 1:2, ::3]\n",
    "slices": "def f(x):\n    return x[1:2], x[:], x[1:2:3], x['a':'b'], x[-1:], x[1.0:True]\n",
    "same_functions": "def f():\n    return 1\ndef f():\n    return 1\nf = lambda: 1; g = lambda: 1\n",
    "same_lambdas": "a = [lambda: 0, lambda: 0, lambda: 0]\n\n\n\nb = [lambda: 0, lambda: 0]\n",
    "nested": "".join("%sdef f%d():\n" % ("    " * n, n) for n in range(18)) + "    " * 18 + "return 1\n",
    "closures": "def f(a, b):\n    c = 1\n    def g(d):\n        nonlocal c\n        c += a\n        return lambda e=b: (a, b, c, d, e)\n    return g\n",
    "cells": "def f(a, b=1, *c, **d):\n    def g(): return a, b, c, d, x, y\n    x = y = 1\n    return g\nclass K:\n    def m(self): return __class__, super()\n",
    "keyword_only": "def f(a, *, b, c=1, **d): pass\ndef g(*, a): pass\n",
    "positional_only": "def f(a, b=1, /, c=2, *, d): pass\n",
    "annotations": "x: int = 1\ny: 'str'\ndef f(a: int, *b: 'x', c: list = None) -> dict: z: int = 1\n",
    "future": "from __future__ import annotations\nx: int = 1\ndef f(a: int) -> dict: pass\n",
    "future_division": "from __future__ import division, print_function\nx = 1 / 2\n",
    "generators": "def f():\n    x = yield 1\n    y = yield from f()\n    return (i for i in range(3) if i)\n",
    "coroutines": "async def f():\n    async with a as b: pass\n    async for c in d: await c\n    return [e async for e in g]\nasync def h():\n    yield 1\n",
    "comprehensions": "a = [x for x in y]\nb = {x: z for x, z in y}\nc = {x for x in y}\nd = [[x for x in w] for w in v]\nclass K:\n    e = [f for f in g]\n",
    "walrus": "if (a := 1) and [b := x for x in y]: pass\n",
    "matching": "match x:\n    case {'a': [1, *_]} | K(b=2): pass\n    case -1 | 1.0 | -0j: pass\n    case str() as s if s: pass\n    case _: pass\n",
    "groups": "try:\n    a\nexcept* ValueError as e:\n    b\nexcept* (TypeError, KeyError):\n    c\n",
    "generic": "def f[T: int, *U, **V](a: T) -> U: pass\nclass K[T](list[T]): pass\ntype A[T] = list[T]\n",
    "defaults": "def f[T = int](a: T) -> T: pass\n",
    "formatted": "a = f'{x!r:>{w}} {y=} {{}} {z:.2f}'\nb = f'{x}' f'{y}' 'z'\n",
    "formatted_new": "a = f'{f'{f'{1}'}'}'\nb = f\"{'\\n'.join(x)}\"\n",
    "exceptions": "try:\n    a\nexcept (A, B) as e:\n    b\nexcept C:\n    raise\nelse:\n    c\nfinally:\n    d\nwith x as y, z: pass\n",
    "parenthesized": "with (a as b, c as d,): pass\n",
    "asserts": "def f():\n    'text'\n    assert x, 'message'\n    if __debug__:\n        y\n    return 1\nclass K:\n    'text'\n",
    "debug": "if not __debug__:\n    x = 'never'\nelse:\n    x = 'always'\n",
    "private": "class K:\n    __a = 1\n    def f(self): return self.__b, __c\n    class __L: pass\n",
    "imports": "import a.b.c as d\nfrom . import e\nfrom ..f import g as h, i\nfrom .j import *\n",
    "stars": "a, *b, c = d\n*e, = f\ng(*h, **i)\nj = [*k, *l]\nm = {**n, 'o': 1}\n",
    "folding": "a = 1 + 2 * 3\nb = 'a' * 20\nc = (1, 2) + (3,)\nd = -(-1)\ne = not 0\nf = 2 ** 100\ng = 'abc'[1]\nh = (1, 2)[0]\ni = 1 << 70\nj = ~0\n",
    "continued": "x = (1 +\n\n     2)\ny = \\\n  3\nz = '''\n\n'''; w = 1\n\n\n\n",
    "far_lines": "a = 1\n" + "\n" * 40000 + "b = 2\n" + "\n" * 300 + "def f():\n" + "\n" * 300 + "    return 1\n",
    "long_line": "x = [" + ", ".join("a%d" % n for n in range(3000)) + "]\n",
    "many_constants": "".join("x = %d.5\n" % n for n in range(400)) + "def f():\n" + "".join("    y = %d.25\n" % n for n in range(70000 // 40)),
    "many_names": "".join("n%d = n%d\n" % (n, n + 1) for n in range(600)),
    "many_locals": "def f():\n" + "".join("    v%d = %d\n" % (n, n * 1000) for n in range(600)) + "    return v0\n",
    "jumps": "def f(x):\n    while x:\n" + "        if x: y = x\n" * 3000 + "        continue\n    return y\n",
    "many_functions": "".join("def f%d(a%d, b='t%d'):\n    return a%d + %d\n" % (n, n, n, n, n * 100000) for n in range(500)),
    "crlf": b"x = 1\r\ny = '''a\r\nb\rc'''\r\n",
    "carriage": b"x = 1\ry = 2\r",
    "mark": b"\xef\xbb\xbfx = '\xc3\xa9'\n",
    "mark_and_coding": b"\xef\xbb\xbf# coding: utf-8\nx = 1\n",
    "form_feed": b"x = 1\n\x0cy = 2\n",
    "identifiers": u"# coding: utf-8\nna\u00efve = 1\n\u00b5 = 2\n\u03bc = 3\ndef \u540d(\u53d8=1): pass\n",
    "print_statement": "print 'a', 1L, 0777, `x`\nexec 'y' in z\nraise E, 'f'\n",
    "long_integers": "a = 1L\nb = -1L\nc = 99999999999L\nd = 0xFFFFFFFFFFL\ne = 1\n",
    "unicode_literals": "from __future__ import unicode_literals\na = 'x'\nb = b'x'\nc = u'x'\n",
}

BAD = {
    "parenthesis": "x = (\n",
    "unmatched": "x = (]\n",
    "colon": "if x\n    y\n",
    "indent": "if x:\ny\n",
    "dedent": "if x:\n        y\n    z\n",
    "unexpected": "x\n  y\n",
    "tabs": "if x:\n\ty\n        z\n",
    "string": "x = 'abc\n",
    "long_string": "x = '''abc\n\n\n",
    "return": "return 1\n",
    "break": "x = 1\nbreak\n",
    "yield": "class K:\n    yield 1\n",
    "await": "def f():\n    await x\n",
    "global": "def f():\n    x = 1\n    global x\n",
    "nonlocal": "def f():\n    nonlocal x\n",
    "nonlocal_top": "nonlocal x\n",
    "arguments": "def f(a, a): pass\n",
    "keyword": "f(a=1, a=2)\n",
    "order": "f(a=1, 2)\n",
    "assign": "1 = x\n",
    "assign_call": "f() = x\n",
    "assign_none": "None = 1\n",
    "delete": "del f()\n",
    "star": "*a, *b = c\n",
    "future_unknown": "from __future__ import nothing\n",
    "future_late": "x = 1\nfrom __future__ import annotations\n",
    "coding": "# -*- coding: nothing -*-\n",
    "coding_second": "#!/usr/bin/python\n# vim: set fileencoding=nothing :\nx = (\n",
    "coding_clash": b"\xef\xbb\xbf# coding: latin-1\nx = 1\n",
    "undecodable": b"x = 1\ny = '\xff'\n",
    "undecodable_comment": b"x = 1\n# \xff\n",
    "undecodable_ascii": b"# coding: ascii\nx = '\xc3\xa9'\n",
    "null": b"x = 1\0\n",
    "null_comment": b"# \0\nx = 1\n",
    "escape": "x = '\\N{no such character}'\n",
    "escape_short": "x = u'\\u12'\n",
    "escape_bytes": "x = b'\\x1'\n",
    "bytes_letters": u"# coding: utf-8\nx = b'\u00e9'\n",
    "digits": "x = 0777\n",
    "digits_text": "x = 1abc\n",
    "digits_huge": "x = %s\n" % ("9" * 5000),
    "character": u"# coding: utf-8\nx = 1 \u2013 2\n",
    "dollar": "x = $\n",
    "question": "x = a ? b : c\n",
    "formatted_empty": "x = f'{}'\n",
    "formatted_open": "x = f'{a'\n",
    "formatted_inside": "x = f'{a b}'\n\ny = 1\n",
    "parentheses_many": "x = " + "(" * 150 + "1" + ")" * 150 + "\n",
    "parentheses_more": "x = " + "(" * 250 + "1" + ")" * 250 + "\n",
    "lists_many": "x = " + "[" * 95 + "]" * 95 + "\n",
    "blocks": "".join("%sif x:\n" % (" " * n) for n in range(101)) + " " * 101 + "y\n",
    "loops": "".join("%sfor x in y:\n" % (" " * n) for n in range(25)) + " " * 25 + "z\n",
    "print_old": "print 'x'\n",
    "exec_old": "exec 'x'\n",
    "except_old": "try: x\nexcept A, e: y\n",
    "except_last": "try: x\nexcept: y\nexcept A: z\n",
    "match_wild": "match x:\n    case _: a\n    case 1: b\n",
    "match_names": "match x:\n    case a | b: c\n",
    "walrus_class": "class K:\n    a = [b := c for c in d]\n",
    "typed": "def f[T, T](): pass\n",
    "async_names": "async = 1\nawait = 2\n",
    "none_argument": "def f(None): pass\n",
    "lambda_body": "x = lambda: (yield)\ny = lambda: return\n",
    "end": "def f():\n",
    "end_decorator": "@f\n",
    "end_slash": "x = 1 + \\",
    "middle_slash": "x = 1 \\ + 2\n",
    "star_import": "def f():\n    from x import *\n",
    "debug_assign": "__debug__ = 1\n",
    "late": "x = 1\n" * 2000 + "y = (\n",
}


def sources():
    """{path: contents}"""
    found = {}
    for folder, kinds in (("good", GOOD), ("bad", BAD)):
        for name, text in kinds.items():
            found["%s/%s.py" % (folder, name)] = text if isinstance(text, bytes) else text.encode("utf-8")
    found.update(("random/m%03d.py" % seed, constants(random.Random(seed))) for seed in range(60))
    return found


def constants(chance):
    """A module full of constants that resemble each other."""

    def leaf():
        magnitude = chance.choice([0, 1, 2, 127, 255, 32768, 1 << 31, 1 << 32, 1 << 62, 1 << 63, 1 << 64, 10 ** 30])
        number = chance.choice([magnitude, -magnitude, magnitude + 1, -magnitude - 1])
        return chance.choice([
            repr(number), repr(float(number)), "-0.0", "%dj" % abs(magnitude), "-%dj" % abs(magnitude), "True", "False", "None", "...",
            repr(chance.choice(["", "a", "b", "ab", "a b", "-", "x" * 300])), "b" + repr(chance.choice(["", "a", "b", "ab"])),
            "'\\u00e9'", "'\\U0001f600'", "'\\ud800'"])

    def value(depth):
        if depth == 0 or chance.random() < 0.5:
            return leaf()
        return "(%s)" % "".join(value(depth - 1) + ", " for _ in range(chance.randrange(4)))

    lines = []
    for number in range(40):
        kind = chance.randrange(4)
        if kind == 0:
            lines.append("v%d = %s" % (number, value(3)))
        elif kind == 1:
            members = ", ".join(value(1) for _ in range(chance.randrange(1, 7)))
            lines.append("def f%d(x):\n    return x in {%s}" % (number, members))
        elif kind == 2:
            lines.append("def g%d(a=%s, *, b=%s):\n    'text'\n    return a, b, %s" % (number, leaf(), value(1), value(2)))
        else:
            lines.append("class K%d:\n    x = %s\n    def m(self, y=%s): return lambda z=%s: (self, y, z, %s)" % (
                number, value(1), leaf(), leaf(), leaf()))
    return ("\n".join(lines) + "\n").encode("ascii")
