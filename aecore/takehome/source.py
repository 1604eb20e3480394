"""The real source of a few definitions and of all that they need, put together so that it runs without this package."""

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from aecore.knobs import Config

Key = tuple[str, str]
"""A definition: the name of its module, and its own."""
Import = tuple[str, str, str]
"""A module, what is imported from it (nothing: the module itself), and the name that it is given."""

ROLE = re.compile(rb":\w+:`~?([\w.]+)`")  # a reference in a docstring, such as :func:`encoder`
REMARK = re.compile(rb"[ ]*# (?:type: ignore|noqa|pyright:).*")
SETTINGS = "SimpleNamespace"  # what the knobs of a model or a plan become


@dataclass(frozen=True)
class Chapter:
    """What one module gives: its name, the first line of its docstring, and those of its definitions that are needed."""

    module: str
    title: str
    code: str


@dataclass
class Piece:
    """A definition as it is to be written: lines of its module, and what to exchange in them by position in bytes.

    ``early`` holds what must be defined before it: bases, decorators, defaults, annotations.
    """

    node: ast.stmt
    uses: list[tuple[int, int, Key]] = field(default_factory=list)
    edits: list[tuple[int, int, bytes]] = field(default_factory=list)
    early: set[Key] = field(default_factory=set)
    imports: set[Import] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)  # names that mean something else in here


class Module:
    """A module of this package, parsed: its definitions, and what its imports bind."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = inspect.getsource(sys.modules[name]).encode()
        self.starts = [0, *(match.end() for match in re.finditer(rb"\n", self.text))]
        tree = ast.parse(self.text)
        self.title = (ast.get_docstring(tree) or name).splitlines()[0]
        self.imports: dict[str, Key] = {}
        self.definitions: dict[str, ast.stmt] = {}
        for node in tree.body:
            match node:
                case ast.ImportFrom(module=str(source), names=names):
                    self.imports |= {each.asname or each.name: (source, each.name) for each in names}
                case ast.Import(names=names):
                    self.imports |= {each.asname or each.name: (each.name, "") for each in names}
                case ast.FunctionDef(name=found) | ast.ClassDef(name=found):
                    self.definitions[found] = node
                case ast.Assign() | ast.AnnAssign():
                    self.definitions |= dict.fromkeys(_stored(node), node)

    def find(self, name: str) -> Key | Import | None:
        """What ``name`` means in this module: a definition of the package, a module of it (whose definition has no name), or an import."""
        if name in self.definitions:
            return self.name, name
        if name not in self.imports:
            return None
        source, attribute = self.imports[name]
        if not _ours(source):
            return source, attribute, name
        inner = f"{source}.{attribute}"
        return (inner, "") if inner in sys.modules else _module(source).find(attribute)

    def place(self, line: int, column: int = 0) -> int:
        """Position in bytes of a line, counted from 1, and a column."""
        return self.starts[line - 1] + column

    def lines(self, node: ast.stmt) -> tuple[int, int]:
        """From where to where a statement reaches, with its decorators, whole lines."""
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        return self.place(first), self.place((node.end_lineno or node.lineno) + 1)


class Reader(ast.NodeVisitor):
    """Reads a definition: what it uses of the package and from elsewhere, and what of it a script has no place for."""

    def __init__(self, module: Module, node: ast.stmt) -> None:
        self.module = module
        self.piece = Piece(node)
        self.hidden: set[str] = set()  # local names, in functions
        self.depth = 0
        self.visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for each in [*node.decorator_list, *node.bases]:
            if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "variant":
                self._cut(self.module.place(each.lineno), self.module.place((each.end_lineno or 0) + 1))  # the registry stays behind
            else:
                self.visit(each)
        for each in node.body:
            knobs = isinstance(each, ast.ClassDef) and each.name == "Config"
            if knobs or (isinstance(each, ast.AnnAssign) and any(self._is_settings(name) for name in ast.walk(each.annotation))):
                start, end = self.module.lines(each)
                while self.module.text[end : end + 1] == b"\n":
                    end += 1
                self._cut(start, end)
            else:
                self.visit(each)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for each in [*node.decorator_list, node.args, *([node.returns] if node.returns else [])]:
            self.visit(each)
        outside = self.hidden
        self.hidden = outside | _stored(node)
        self.depth += 1
        for each in node.body:
            self.visit(each)
        self.depth -= 1
        self.hidden = outside

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Store):
            self.piece.taken.add(node.attr)
        if isinstance(node.value, ast.Name) and node.value.id not in self.hidden:
            whole = self.module.find(node.value.id)
            if whole and _ours(whole[0]) and not whole[1]:
                found = _module(whole[0]).find(node.attr)
                assert found is not None
                self._use(node, found)
                if node.attr in self.hidden:
                    self.piece.taken.add(node.attr)
                return
        self.visit(node.value)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in self.hidden:
            return
        if self._is_settings(node):
            self.piece.edits.append((*self._span(node), SETTINGS.encode()))
            self.piece.imports.add(("types", SETTINGS, SETTINGS))
        elif found := self.module.find(node.id):
            self._use(node, found)

    def _use(self, node: ast.expr, found: Key | Import) -> None:
        if len(found) == 3:
            self.piece.imports.add(found)
            return
        self.piece.uses.append((*self._span(node), found))
        if self.depth == 0:
            self.piece.early.add(found)

    def _is_settings(self, node: ast.AST) -> bool:
        """Whether a name is that of a set of knobs."""
        if not isinstance(node, ast.Name):
            return False
        meant = getattr(sys.modules[self.module.name], node.id, None)
        return node.id == "Config" or (isinstance(meant, type) and issubclass(meant, Config))

    def _span(self, node: ast.expr) -> tuple[int, int]:
        return self.module.place(node.lineno, node.col_offset), self.module.place(node.end_lineno or 0, node.end_col_offset or 0)

    def _cut(self, start: int, end: int) -> None:
        self.piece.edits.append((start, end, b""))


def gather(roots: Iterable[Key]) -> tuple[set[Import], list[Chapter]]:
    """``roots`` and all that they need: imports from elsewhere, then a chapter for each module, what is needed early first.

    A name qualified by its module, such as ``losses.mse``, becomes plain; one with two meanings takes its module's name in front.
    """
    pieces: dict[Key, Piece] = {}
    waiting = list(roots)
    while waiting:
        key = waiting.pop(0)
        if key not in pieces:
            module = _module(key[0])
            pieces[key] = Reader(module, module.definitions[key[1]]).piece
            waiting += [found for _, _, found in pieces[key].uses]
    names = dict(_named(pieces))
    order: list[str] = []
    for name, _ in pieces:
        _put(name, pieces, order)
    written: set[bytes] = set()
    chapters = [_chapter(_module(name), pieces, names, written) for name in order]
    return set().union(*(each.imports for each in pieces.values())), [each for each in chapters if each.code]


def _put(name: str, pieces: dict[Key, Piece], order: list[str]) -> None:
    """Append a module to ``order``, those that must come before it first."""
    if name not in order:
        for key, piece in pieces.items():
            for source, _ in sorted(piece.early) if key[0] == name else []:
                if source != name:
                    _put(source, pieces, order)
        order.append(name)


def _named(pieces: dict[Key, Piece]) -> Iterator[tuple[Key, str]]:
    """A name for each definition, unlike all others."""
    taken = set().union(*(each.taken for each in pieces.values())) | {name for each in pieces.values() for *_, name in each.imports}
    for module, name in pieces:
        texts = {_text(_module(source), piece) for (source, other), piece in pieces.items() if other == name}
        stem = module.rsplit(".", 1)[1]
        longer = f"{stem.upper() if name.isupper() else stem}_{name.lstrip('_')}"
        yield (module, name), longer if name in taken or len(texts) > 1 else name


def _chapter(module: Module, pieces: dict[Key, Piece], names: dict[Key, str], written: set[bytes]) -> Chapter:
    """The needed definitions of a module in their order, less those that ``written`` holds word for word."""
    code, before = b"", None
    for node in dict.fromkeys(module.definitions.values()):
        own = [key for key in pieces if key[0] == module.name and module.definitions[key[1]] is node]
        text = _rewritten(module, pieces[own[0]], own, names) if own else b""
        if text and text not in written:
            written.add(text)
            constants = isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(before, ast.Assign | ast.AnnAssign)
            code += (b"\n" if constants else b"\n\n\n") + text
            before = node
    return Chapter(module.name, module.title, code.strip().decode())


def _rewritten(module: Module, piece: Piece, own: list[Key], names: dict[Key, str]) -> bytes:
    """The lines of a definition, which is known as ``own``, with what is to be exchanged in them."""
    start, text = module.lines(piece.node)[0], _text(module, piece)
    edits = piece.edits + [(first, last, names[key].encode()) for first, last, key in piece.uses]
    for first, last, new in sorted(edits, reverse=True):
        text = text[: first - start] + new + text[last - start :]
    for key in own:
        text = re.sub(rb"\b(def|class) " + key[1].encode() + rb"\b", rb"\g<1> " + names[key].encode(), text, count=1)
    text = ROLE.sub(lambda role: b"`" + _renamed(module, role[1].decode(), names).encode() + b"`", text)
    return REMARK.sub(b"", text).strip()


def _renamed(module: Module, name: str, names: dict[Key, str]) -> str:
    """What ``name``, in a docstring of ``module``, is called in the end."""
    found = module.find(name)
    return names.get((found[0], found[1]), name) if found else name


def _text(module: Module, piece: Piece) -> bytes:
    start, end = module.lines(piece.node)
    return module.text[start:end]


def _stored(node: ast.AST) -> set[str]:
    """Names that a statement binds: for a function its arguments and local variables."""
    found = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    return found | {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}


def _ours(module: str) -> bool:
    return module.split(".")[0] == "aecore"


@cache
def _module(name: str) -> Module:
    return Module(name)
