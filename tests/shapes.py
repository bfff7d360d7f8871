"""The shapes that the equations declare, checked in every test and nowhere else.

Signatures say what axes a tensor has, ``Float[Tensor, "time batch channel row column"]``, and jaxtyping's import
hook checks them, sizes of the same name against each other. Outside of tests they are text that no one reads: the
modules do not even import the names they are written with, which are put into them here.
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder

import jaxtyping
from beartype import BeartypeConf, beartype
from torch import Tensor

MODULES = (
    "dista.neurons",
    "dista.layers",
    "dista.attention",
    "dista.model",
    "dista.denoisers",
    "dista.experiments.counterfactuals",
)
NAMES = {"Float": jaxtyping.Float, "Tensor": Tensor}

_typed = beartype(conf=BeartypeConf(is_pep484_tower=True))  # 1 is a float, as for mypy


def checked(function):
    """``function``, checked at each call where its signature names axes; mypy sees to all other types."""
    hints = getattr(function, "__annotations__", {}).values()
    return _typed(function) if any("Float[" in str(hint) for hint in hints) else function


class _WithNames(MetaPathFinder):
    """Puts ``NAMES`` into a module before it runs, which another finder has found."""

    def __init__(self, finder: MetaPathFinder) -> None:
        self.finder = finder

    def find_spec(self, fullname, path=None, target=None):
        spec = self.finder.find_spec(fullname, path, target)
        if spec is not None:
            run = spec.loader.exec_module
            spec.loader.exec_module = lambda module: (vars(module).update(NAMES), run(module))
        return spec


def check() -> None:
    """From now on; RuntimeError where one of the modules was imported before, which would stay unchecked."""
    early = [name for name in MODULES if name in sys.modules]
    if early:
        raise RuntimeError(f"imported before their shapes could be checked: {', '.join(early)}")
    checking = jaxtyping.install_import_hook(list(MODULES), "shapes.checked").hook
    sys.meta_path[sys.meta_path.index(checking)] = _WithNames(checking)
