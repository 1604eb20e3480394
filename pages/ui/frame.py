"""What surrounds a page: language, navigation, stray deep links."""

from functools import cache as cache_

import streamlit as st
from PIL import Image, ImageDraw

from pages.ui import cache, i18n, sitemap, state
from pages.ui.i18n import Translator

WORDMARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="236" height="40" viewBox="0 0 236 40"><path fill="#d9480f" d="M2 4l16 11L34 4v32L18 25 2 36z"/>'
    '<text x="46" y="27" font-family="sans-serif" font-size="22" font-weight="600" fill="#e0622f" textLength="184" lengthAdjust="spacingAndGlyphs">'
    "Autoencoder Lab</text></svg>"
)
STYLE = """<style>
.stMainBlockContainer { padding-top: 4.5rem; }
[data-testid=stMarkdownContainer] table, [data-testid=stMarkdownContainer] .katex-display { display: block; overflow-x: auto; }
</style>"""  # Streamlit leaves twice as much empty above, and lets wide tables and formulas push a phone's page sideways
HEARTBEAT = 30  # seconds; well under the time after which a run without a visitor ends by itself


def run() -> None:
    """The script of every visitor: choose the page and run it."""
    t = i18n.translator(state.language())
    st.logo(WORDMARK, size="large")
    page = _navigation(t)
    st.set_page_config(page_title=f"{page.title} · Autoencoder Lab", page_icon=_hourglass(), layout="wide")
    st.session_state.framed = True
    st.html(STYLE)
    page.run()
    _keep_present()


def enter(slug: str) -> Translator:
    """First statement of each page: gives the translator.

    A fresh server that is first visited by a deep link runs the page's script alone; then the navigation is declared
    here, and the visit starts over within the frame.
    """
    if not st.session_state.pop("framed", False):
        _navigation(i18n.translator(state.language()))
        st.rerun()
    t = i18n.translator(state.language())
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title("Autoencoder Lab" if slug == "home" else t(sitemap.ENTRIES[slug].title), width="content")
        _language_switch(t)
    return t


def page(slug: str, t: Translator) -> st.Page:  # pyright: ignore[reportGeneralTypeIssues]
    """The page at ``slug``, for a link to it."""
    entry = sitemap.ENTRIES[slug]
    first = next(iter(sitemap.ENTRIES))
    return st.Page(entry.path, title=t(entry.title), url_path=slug, default=slug == first)


def _navigation(t: Translator) -> st.Page:  # pyright: ignore[reportGeneralTypeIssues]
    pages = {t(section): [page(entry.slug, t) for entry in entries] for section, entries in sitemap.SECTIONS.items()}
    return st.navigation(pages, position="top")


def _language_switch(t: Translator) -> None:
    """The label is in both languages, because who needs it may not read the other one."""
    key = f"language-{t.language}"  # a new widget after each change: it starts from the language in force
    st.segmented_control(
        "Idioma / Language",
        list(i18n.LANGUAGES),
        default=t.language,
        required=True,
        format_func=i18n.LANGUAGES.__getitem__,
        key=key,
        label_visibility="collapsed",
        width="content",
        on_change=lambda: state.choose_language(st.session_state[key]),
    )


@cache_
def _hourglass() -> Image.Image:
    """The icon in the browser's tab, drawn here because Streamlit's own icons come from the internet."""
    icon = Image.new("RGBA", (64, 64))
    ImageDraw.Draw(icon).polygon([(4, 6), (32, 26), (60, 6), (60, 58), (32, 38), (4, 58)], fill="#d9480f")
    return icon


def _keep_present() -> None:
    """While a visitor has a run, tell the jobs now and then that somebody is still here, whatever the page."""
    jobs, visitor = cache.jobs(), state.visitor()
    jobs.touch(visitor)
    if jobs.runs_of(visitor):
        st.fragment(lambda: jobs.touch(visitor), run_every=HEARTBEAT, key="heartbeat")()
