"""Imports run one way, and the core knows nothing of the interface."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = [
    {"refusal", "terminal"},
    {"cipher", "corruption", "knobs", "losses", "metrics"},
    {"nn"},
    {"models", "data"},
    {"training", "provenance"},
    {"weights", "recipes", "inspect"},
    {"denoise", "latent"},
    {"codec", "signals", "swap"},
    {"text"},
    {"commands"},
    {"jobs", "takehome"},
    {"__main__"},
]
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}


def imports(path: Path) -> set[str]:
    """Absolute names of all modules that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            found |= {f"{node.module}.{each.name}" for each in node.names}
    return found


def part(module: str) -> str:
    """The part of aecore that a module belongs to: "training" for aecore.training.loop."""
    return module.split(".")[1]


CORE = [path for path in sorted((ROOT / "aecore").rglob("*.py")) if path != ROOT / "aecore" / "__init__.py"]
PAGES = sorted((ROOT / "pages").glob("*.py"))
UI = sorted((ROOT / "pages" / "ui").rglob("*.py"))


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_core_imports_only_lower_floors(path: Path) -> None:
    own = path.relative_to(ROOT / "aecore").parts[0].removesuffix(".py")
    for module in imports(path):
        top = module.split(".")[0]
        assert top not in ("streamlit", "pages", "app"), f"{path} imports {module}"
        if top == "aecore" and len(module.split(".")) > 1 and part(module) in FLOOR and part(module) != own:
            assert FLOOR[part(module)] < FLOOR[own], f"{path} imports {module}, which is not on a lower floor"


def test_every_part_of_the_core_has_a_floor() -> None:
    parts = {path.relative_to(ROOT / "aecore").parts[0].removesuffix(".py") for path in CORE}
    assert parts == set(FLOOR)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_are_thin_and_strangers_to_each_other(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 80
    for module in imports(path):
        assert not module.startswith("pages.") or module.startswith("pages.ui"), f"{path} imports {module}"


@pytest.mark.parametrize("path", UI, ids=lambda path: path.name)
def test_interface_imports_no_page(path: Path) -> None:
    for module in imports(path):
        assert not module.startswith("pages.") or module.startswith("pages.ui"), f"{path} imports {module}"
        assert module.split(".")[0] != "app"


def test_only_the_frame_and_the_server_are_imported_by_the_app() -> None:
    assert {each for each in imports(ROOT / "app.py") if each.startswith("pages")} == {"pages.ui.frame", "pages.ui.server"}
