"""The dashboard. From the repository's root: python -m streamlit run app/main.py

Pages are in views/; each chooses, loads and shows, and computes nothing itself.
"""

from __future__ import annotations

from pathlib import Path

import state
import streamlit as st

HERE = Path(__file__).parent

st.set_page_config(page_title="DISTA Explorer", page_icon=str(HERE / "icon.svg"), layout="wide")
st.logo(str(HERE / "logo.svg"), size="large")
panel = {"dark": "#1c2024"}.get(st.context.theme.type, "#ffffff")
st.html(f"<style>:root {{ --panel: {panel}; }} {(HERE / 'style.css').read_text('utf-8')}</style>")

page = st.navigation(
    [
        st.Page(HERE / "views" / "watch.py", title="Watch", default=True),
        st.Page(HERE / "views" / "train.py", title="Train", url_path="train"),
    ],
    position="top",
)
state.resume(page.title)
page.run()
state.leave_mark(page.title)
