"""Changes of one function: raise an exception, return nothing, or take the other branch; and of a module: raise at its end."""
import ast


class Mutation:
    """A function of a source, and one way to change it."""

    def __init__(self, name, line, kind, text):
        self.name, self.line, self.kind, self.text = name, line, kind, text


def functions(source):
    """(line of the first decorator or `def`, qualified name, node) of each function."""
    found = []

    def visit(node, prefix):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                name = prefix + child.name
                if not isinstance(child, ast.ClassDef):
                    found.append((min([child.lineno] + [one.lineno for one in child.decorator_list]), name, child))
                visit(child, name + ".")
            else:
                visit(child, prefix)

    visit(ast.parse(source), "")
    return found


def mutate(source, line, random):
    """A random change of the function that begins on this line; None if there is none to make.

    `source` is bytes in UTF-8, and so is the text of the mutation.
    """
    for first, name, node in functions(source):
        if first != line:
            continue
        kinds = ["raise", "raise", "return", "negate", "negate"]
        random.shuffle(kinds)
        for kind in kinds:
            text = negated(source, node, random) if kind == "negate" else inserted(source, node, kind)
            if text is not None and compiles(text):
                return Mutation(name, line, kind, text)
    return None


def mutate_module(source):
    """A module that raises an exception at its end."""
    return Mutation("module", 0, "raise", source.rstrip() + b"\nraise RuntimeError('changed')\n")


def inserted(source, node, kind):
    """The source with a statement in front of the first one of the body."""
    body = node.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
        body = body[1:]
    if not body:
        return None
    statement = b"return" if kind == "return" else b"raise RuntimeError('changed')"
    first = min([body[0].lineno] + [one.lineno for one in getattr(body[0], "decorator_list", [])])
    lines = source.splitlines(keepends=True)
    text = lines[first - 1]
    column = body[0].col_offset
    if text[:column].strip():  # `def f(): return 1`
        lines[first - 1] = text[:column] + statement + b"; " + text[column:]
    else:
        lines[first - 1] = text[:column] + statement + b"\n" + text
    return b"".join(lines)


def negated(source, node, random):
    """The source with one of the function's conditions negated."""
    found = []
    pending = list(node.body)
    while pending:
        one = pending.pop(0)
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(one, (ast.If, ast.While, ast.IfExp, ast.Assert)):
            found.append(one.test)
        pending += ast.iter_child_nodes(one)
    if not found:
        return None
    test = random.choice(found)
    lines = source.splitlines(keepends=True)
    begin = sum(map(len, lines[:test.lineno - 1])) + test.col_offset
    end = sum(map(len, lines[:test.end_lineno - 1])) + test.end_col_offset
    return source[:begin] + b"(not (" + source[begin:end] + b"))" + source[end:]


def compiles(text):
    try:
        compile(text, "changed", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True
