"""The dashboard's server: ``dista app``, or from the repository's root python -m streamlit run app/main.py

Streamlit serves its own, with a page that has the dashboard's stylesheet before anything is drawn: sent by the script
it would come after the first words, and move them.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(
    0, str(Path(__file__).resolve().parent.parent)
)  # streamlit adds the folder of this file only

import streamlit as st

from app.page import first_page

server = st.App(Path(__file__).with_name("dashboard.py").resolve(), routes=first_page.routes())
