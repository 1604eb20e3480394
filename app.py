"""Autoencoder Lab: ``make run``, or ``streamlit run app.py``.

This file serves twice: it starts the server, and it is the script of each visitor. The processes that train read it as well,
as multiprocessing does with a program's main file, and need nothing of it.
"""

if __name__ != "__mp_main__":
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    from pages.ui import frame, server

    app = st.App(__file__, lifespan=server.lifespan)
    if get_script_run_ctx(suppress_warning=True):
        frame.run()
