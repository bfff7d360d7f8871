"""The widgets' JavaScript and stylesheets, as the strings that a host mounts.

The files under ``js/`` are ordinary ES modules that import from each other. A host takes one string, which
has to work from an installed package, without a network and in a page that may hold no import map of ours:
so each component is bundled into one module under ``built/``, by esbuild, and the bundles are part of the
repository. ``npm run build`` makes them anew; ``stale`` says when that is due.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from dista.style.palette import PALETTES

HOSTS = ("streamlit", "jupyter")
"""Where the probe can be mounted, each with a module of its own."""

CONTROLS = ("threshold", "brush", "pad", "downloads", "terms", "keyboard", "tour")
"""The small widgets of the dashboard."""

LESSONS = ("lesson", "figures")
"""What lessons show in a notebook: predictions, the tau lab, and figures that follow."""

_HERE = Path(__file__).parent
_PROBE = (
    "base",
    "stages",
    "legends",
    "attention",
    "charts",
    "taus",
    "layout",
    "controls",
    "lesson",
)
_OWN = ("pad", "downloads")  # those that have a look of their own


@cache
def module(name: str) -> str:
    """The probe for a host, or a control, as one ES module whose default export is what the host expects."""
    if name not in HOSTS + CONTROLS + LESSONS:
        raise ValueError(
            f"no widget {name!r}; choose one of {', '.join(HOSTS + CONTROLS + LESSONS)}"
        )
    return (_HERE / "built" / f"{name}.js").read_text("utf-8")


@cache
def styles(name: str = "streamlit") -> str:
    """The stylesheet of a widget; but for those with a look of their own it is the same for all."""
    if name in _OWN:
        return (_HERE / "css" / f"{name}.css").read_text("utf-8")
    parts = ("base", "figures") if name == "figures" else _PROBE
    sheets = [(_HERE / "css" / f"{part}.css").read_text("utf-8") for part in parts]
    return "\n".join([_colours(), *sheets])


def _colours() -> str:
    """The palette as custom properties: light ones first, the dark ones where the probe finds a dark page."""
    light, dark = PALETTES["light"], PALETTES["dark"]
    return (
        f".dista-probe {{ {light.css()} }}\n"
        "@media (prefers-color-scheme: dark) { "
        f'.dista-probe[data-theme=""] {{ --page: {dark.page}; }} }}\n'
        f'.dista-probe[data-theme="dark"] {{ {dark.css()} }}\n'
    )


def stale() -> bool:
    """Whether the sources are other than those that the bundles were made of; False in an installed package."""
    sources = sorted((_HERE / "js").glob("*.js"))
    if not sources:
        return False
    digest = hashlib.sha256()
    for path in sources:
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest() != (_HERE / "built" / "sources.sha256").read_text().strip()
