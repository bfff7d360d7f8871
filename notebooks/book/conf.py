"""The book: ``make docs`` builds it from the lessons, the pages beside this file and the package's docstrings.

Why these. myst-nb runs the committed notebooks, which have no outputs, and keeps what came out. Furo needs neither
fonts nor scripts from elsewhere, is read on a phone, and takes our colours as variables; sphinx-book-theme and
pydata-sphinx-theme bring Bootstrap and icon fonts for the same pages. sphinx-gallery wants a script a figure and a
program that makes pictures of plotly's figures; the gallery here is one notebook, whose figures stay alive.
"""

import functools
import hashlib
import os
import sys
from pathlib import Path

BOOK = Path(__file__).resolve().parent
ROOT = BOOK.parent.parent
BUILT = ROOT / "build" / "book"
sys.path[:0] = [str(BOOK), str(ROOT)]

from nbclient import NotebookClient  # noqa: E402

import dista  # noqa: E402  # from this clone, whatever is installed
from dista.style.palette import PALETTES  # noqa: E402

project, author = "DISTA Explorer", "the authors of DISTA Explorer"
version = release = dista.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx_parts"]
root_doc = "index"
exclude_patterns = ["runs", "**/.ipynb_checkpoints", "book/*.py"]
suppress_warnings = [
    "mystnb.unknown_mime_type"
]  # a widget's own: its picture or its sentence is shown

# Notebooks ------------------------------------------------------------------------------------------


def code() -> str:
    """A short name of what the notebooks import: what they showed of other code is run again."""
    digest = hashlib.sha256()
    for path in sorted(
        [*(ROOT / "dista").rglob("*.py"), *(ROOT / "assets").rglob("*.json"), BOOK / "still.py"]
    ):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


nb_execution_mode = "cache"
nb_execution_cache_path = str(BUILT / "executed" / code())
nb_execution_timeout = 900
nb_execution_in_temp = True
nb_execution_raise_on_error = True
NotebookClient.__init__ = functools.partialmethod(  # myst-nb has no setting for it
    NotebookClient.__init__, startup_timeout=nb_execution_timeout
)  # on a busy machine a kernel does not start within the minute that is usual
nb_merge_streams = True
nb_render_markdown_format = (
    "myst"  # what cells write has tables and formulas, which are no CommonMark
)
nb_ipywidgets_js = {}  # its scripts would come from a server
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
os.environ |= {
    "PYTHONSTARTUP": str(BOOK / "startup.py"),
    "PYTHONPATH": os.pathsep.join([str(ROOT), str(BOOK), os.environ.get("PYTHONPATH", "")]).rstrip(
        os.pathsep
    ),
}

# Text -----------------------------------------------------------------------------------------------

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
maximum_signature_line_length = 88
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries = False

# Look -----------------------------------------------------------------------------------------------

html_theme = "furo"
html_title = "DISTA Explorer"
html_math_renderer = "mathml"
html_static_path = ["static"]
html_css_files = ["book.css"]
html_copy_source = html_show_sphinx = html_show_copyright = False
pygments_style, pygments_dark_style = "friendly", "monokai"


def colours(theme: str) -> dict[str, str]:
    """Furo's variables, in the colours of figures and pages."""
    one = PALETTES[theme]
    return {
        "color-background-primary": one.page,
        "color-background-secondary": one.paper,
        "color-background-hover": one.well,
        "color-background-border": one.line,
        "color-foreground-primary": one.ink,
        "color-foreground-secondary": one.muted,
        "color-foreground-muted": one.muted,
        "color-foreground-border": one.line,
        "color-brand-primary": one.accent,
        "color-brand-content": one.accent,
        "color-brand-visited": one.accent,
        "color-code-background": one.well,
        "color-code-foreground": one.ink,
        "color-inline-code-background": one.well,
        "font-stack": "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif",
    }


html_theme_options = {
    "light_css_variables": colours("light"),
    "dark_css_variables": colours("dark"),
    "top_of_page_buttons": [],
}
