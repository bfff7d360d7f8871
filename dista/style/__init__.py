"""How things look and are called, once: colours, labels and sentences that figures, widgets and pages share.

Widgets hand them on to the browser: colours in the stylesheet, labels and sentences in the header of the
data. No colour, label or sentence about a recording is written down in JavaScript. Nothing here imports more
than Python itself, so that the first page needs no library for a word.
"""
