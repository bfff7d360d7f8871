"""The Python files of the package and of the dashboard, and what their syntax trees say of their imports."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = sorted((ROOT / "dista").rglob("*.py"))
FILES = sorted([*PACKAGE, *(ROOT / "app").rglob("*.py")])


def name(path):
    return path.relative_to(ROOT).as_posix()


def dotted(path):
    """The module's name, as in an import."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_type_checking(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def statements(tree, everywhere):
    """Nodes that run; only those that run on import unless ``everywhere``. Type-checking blocks never do."""
    for node in ast.iter_child_nodes(tree):
        if is_type_checking(node):
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and not everywhere:
            continue
        yield node
        yield from statements(node, everywhere)


def imports(path, everywhere=True):
    """Dotted names that a file imports; ``from a import b`` gives both ``a`` and ``a.b``."""
    package = dotted(path) if path.name == "__init__.py" else dotted(path).rpartition(".")[0]
    found = set()
    for node in statements(ast.parse(path.read_text("utf-8")), everywhere):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = (
                package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            )
            source = ".".join([*above, *([node.module] if node.module else [])])
            found |= {source, *(f"{source}.{alias.name}" for alias in node.names)}
    return found


def uses(path, module, everywhere=True):
    """Whether a file imports ``module`` or something in it."""
    return any(
        found == module or found.startswith(f"{module}.") for found in imports(path, everywhere)
    )


MODULES = {dotted(path): path for path in FILES}


def room_of(path):
    """The room of a file: its folder below the package, or itself on the ground floor."""
    parts = dotted(path).split(".")
    inside = path.name != "__init__.py" and len(parts) > 2
    return ".".join(parts[:2] if inside or len(parts) > 2 else parts)


def modules_that(path):
    """Modules of the project that a file imports; a name out of a package is the package's."""
    found = imports(path)
    return {
        module
        for module in found & MODULES.keys()
        if not any(
            other != module and other.startswith(f"{module}.") and other in MODULES
            for other in found
        )
    }
