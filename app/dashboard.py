"""The dashboard, which Streamlit runs for every visitor and at every change; main.py serves it.

Pages are in views/; each chooses, loads and shows, and computes nothing itself.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.link import following, permission, share, url
from app.link.vocabulary import PAGES
from app.page import frame, garbage_collection, in_view, keyboard, next_page, style, terms
from app.tours import panel, shelf, start
from dista.engine.threads import wait_briefly

HERE = Path(__file__).parent
wait_briefly()

st.set_page_config(page_title="DISTA Explorer", page_icon=str(HERE / "icon.svg"), layout="wide")
st.logo(str(HERE / "logo.svg"), size="medium")
style.apply(style.colours(st.context.theme.type or "light"))

views = HERE / "views"
FIRST = "watch"  # at the address without a path, whatever Streamlit is told of one
pages = {
    name: st.Page(
        views / f"{name}.py", title=name.capitalize(), url_path="first" if name == FIRST else name,
        default=name == FIRST,
    )
    for name in PAGES
}  # fmt: skip
# Who writes /watch is sent to it, and does not read that there is no such page.
watch = st.Page(
    lambda: st.switch_page(pages["watch"], query_params=url.written()),
    title="Watch", url_path="watch", visibility="hidden",
)  # fmt: skip
page = st.navigation([*pages.values(), watch], position="top")
name = page.title.lower()
st.set_page_config(page_title=frame.title(name))
next_page.keep(pages)
permission.take_token()
went = following.resume(name)
first_view = start.begin(name)
if share.lesson():
    share.frame_lesson(page.title)
place = panel.resume(went=went)
with panel.beside(place, name, pages) if place else st.container(key="untoured"):
    frame.begin(name)
    if first_view and not place and start.show(pages, shelf.shipped()[shelf.FIRST].title):
        start.remember()
        panel.go(shelf.shipped()[shelf.FIRST], 0, pages)
    page.run()
    frame.end(name)
if place and (there := panel.part(place, name)):
    in_view.bring(*there)
terms.explain()
keyboard.serve()
next_page.menu(name)
following.leave_mark(name)
garbage_collection.settle()
