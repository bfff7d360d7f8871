"""Run by the kernel of every notebook of the book before its first cell (``PYTHONSTARTUP``); it leaves no names."""

__import__("still").show_still(get_ipython().display_formatter.formatters["text/html"])  # noqa: F821  # IPython's
