"""Packages hand each other structs, or a JSON document as JsonObject: no `dict[str, Any]` crosses a boundary."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNTYPED = "dict[str, Any]"


def module_of(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def package_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def untyped_names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Public names whose signature or fields hold an untyped dict: the name to import, and the dotted one."""
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) if _is_untyped(node):
                yield name, name
            case ast.ClassDef(name=name, body=body):
                for part in body:
                    match part:
                        case ast.FunctionDef(name=method) if not method.startswith("_") and _is_untyped(part):
                            yield name, f"{name}.{method}"
                        case ast.AnnAssign(target=ast.Name(id=field)) if UNTYPED in ast.unparse(part.annotation):
                            yield name, f"{name}.{field}"
                        case _:
                            pass
            case _:
                pass


def _is_untyped(function: ast.FunctionDef) -> bool:
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    annotations = [function.returns, *(each.annotation for each in arguments)]
    return any(UNTYPED in ast.unparse(each) for each in annotations if each is not None)


def crossings(root: Path) -> set[str]:
    """Dotted names with an untyped dict that another package imports, itself or through its package."""
    trees = {module_of(path, root): ast.parse(path.read_text()) for path in sorted((root / "app").rglob("*.py"))}
    imported: dict[str, set[str]] = {}
    for module, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("app"):
                for alias in node.names:
                    imported.setdefault(f"{package_of(node.module)}:{alias.name}", set()).add(package_of(module))
    return {
        f"{module}.{dotted}"
        for module, tree in trees.items()
        for name, dotted in untyped_names(tree)
        if imported.get(f"{package_of(module)}:{name}", set()) - {package_of(module)}
    }


def test_no_untyped_dict_crosses_a_boundary() -> None:
    assert crossings(ROOT) == set()


@pytest.mark.parametrize("annotation", ["-> dict[str, Any]", "-> list[dict[str, Any]] | None"])
def test_an_untyped_dict_that_crosses_is_found(annotation: str, tmp_path: Path) -> None:
    for package in ("one", "two"):
        (tmp_path / "app" / package).mkdir(parents=True)
    (tmp_path / "app" / "one" / "figures.py").write_text(f"def figures() {annotation}: ...\n")
    user = tmp_path / "app" / "two" / "user.py"
    user.write_text("")
    assert crossings(tmp_path) == set()
    user.write_text("from app.one.figures import figures\n")
    assert crossings(tmp_path) == {"app.one.figures.figures"}
