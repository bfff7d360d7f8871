"""The dashboard: ``dista app``, or from the repository's root python -m streamlit run app/main.py

Pages are in views/; each chooses, loads and shows, and computes nothing itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(
    0, str(Path(__file__).resolve().parent.parent)
)  # streamlit adds the folder of this file only

import streamlit as st

from app.link import permission, share, url
from app.page import garbage_collection
from dista.engine.threads import wait_briefly
from dista.style.palette import HAIRLINE, palette

HERE = Path(__file__).parent
wait_briefly()

st.set_page_config(page_title="DISTA Explorer", page_icon=str(HERE / "icon.svg"), layout="wide")
st.logo(str(HERE / "logo.svg"), size="large")
panel = palette(st.context.theme.type or "light").panel
colours = f":root {{ --panel: {panel}; --hairline: {HAIRLINE}; }}"
st.html(f"<style>{colours} {(HERE / 'page' / 'style.css').read_text('utf-8')}</style>")

page = st.navigation(
    [
        st.Page(HERE / "views" / "watch.py", title="Watch", default=True),
        st.Page(HERE / "views" / "neurons.py", title="Neurons", url_path="neurons"),
        st.Page(HERE / "views" / "denoise.py", title="Denoise", url_path="denoise"),
        st.Page(HERE / "views" / "memory.py", title="Memory", url_path="memory"),
        st.Page(HERE / "views" / "train.py", title="Train", url_path="train"),
        st.Page(HERE / "views" / "ablate.py", title="Ablate", url_path="ablate"),
        st.Page(HERE / "views" / "compare.py", title="Compare", url_path="compare"),
        st.Page(HERE / "views" / "energy.py", title="Energy", url_path="energy"),
    ],
    position="top",
)
permission.take_token()
url.resume(page.title)
if share.lesson():
    share.frame_lesson(page.title)
page.run()
url.leave_mark(page.title)
garbage_collection.settle()
