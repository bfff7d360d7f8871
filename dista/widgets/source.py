"""The widgets' JavaScript and stylesheet, as the strings that a host mounts.

The files under ``js/`` are ordinary ES modules that import from each other, so that an editor
understands them. A host takes one string: the files are joined in order of dependence, and the
import lines and the word ``export`` are dropped. There is no build step.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

HOSTS = ("streamlit", "jupyter")
_HERE = Path(__file__).parent
_FILES = (
    "dom",
    "recording",
    "theme",
    "capture",
    "state",
    "chart",
    "maps",
    "input",
    "film",
    "lags",
    "attention",
)
_FILES += ("decision", "stem", "coincidence", "values", "stages", "tau", "neurons", "probe")
_PARTS = {
    "threshold": ("dom", "theme", "capture", "echo", "host", "threshold"),
    "brush": ("dom", "recording", "theme", "capture", "input", "echo", "host", "brush"),
}
_IMPORT = re.compile(r"^import\s[^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=function|const|class)", re.MULTILINE)


@cache
def module(host: str) -> str:
    """The whole probe as one ES module whose default export is what ``host`` expects."""
    if host not in HOSTS:
        raise ValueError(f"no probe for host {host!r}; choose one of {', '.join(HOSTS)}")
    return _joined(*_FILES, host)


@cache
def part(name: str) -> str:
    """A small widget of the dashboard, "threshold" or "brush", as one ES module for Streamlit."""
    if name not in _PARTS:
        raise ValueError(f"no widget {name!r}; choose one of {', '.join(_PARTS)}")
    return _joined(*_PARTS[name])


def _joined(*names: str) -> str:
    texts = [(_HERE / "js" / f"{name}.js").read_text("utf-8") for name in names]
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)


@cache
def styles() -> str:
    """The stylesheet of the probe and of the other widgets."""
    return (_HERE / "js" / "probe.css").read_text("utf-8")
