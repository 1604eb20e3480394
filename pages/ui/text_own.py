"""A visitor's own text to learn from: asked for, read in an errand if it is long, and described."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from aecore.jobs.errands import Cancelled, Report
from aecore.refusal import Refused
from aecore.text import corpora
from aecore.text.corpora import OwnText, read_text
from pages.ui import mending
from pages.ui.i18n import Translator, marked

READ = "text-read"
MOST_PASTED = 200_000
MOST_SENT = (corpora.MAX_BYTES >> 20) + 1
"""MB of a million bytes that a browser sends; what is too long is refused by :func:`read_text`, in the reader's language."""
AT_ONCE = 250_000
"""Bytes that are read in less than a tenth of a second."""
READING = marked("Reading the text: {share} %")
Held = dict[str, OwnText | Refused]
"""What the session has of texts that were read: the last one, by its name. Work in threads writes here, so that nobody else keeps a text."""


def ask(t: Translator) -> OwnText | None:
    """Ask for a text, pasted or as a file; gives what was read, or says why not, or how far it is."""
    st.caption(
        t(
            "At least {least} different sentences, at most {most} MB and {sentences} sentences; longer sentences "
            "than {length} characters are cut. "
            "Capitals, accents and punctuation stay as they are. The text stays in the memory of this server, is never "
            "written and shown to nobody else; after the tab is closed it makes room for others.",
            least=corpora.MIN_SENTENCES,
            most=corpora.MAX_BYTES >> 20,
            sentences=t.number(corpora.MAX_SENTENCES),
            length=corpora.MAX_LENGTH,
        )
    )
    pasted = st.text_area(t("Paste a text"), key="teach-pasted", max_chars=MOST_PASTED, height=120)
    file = st.file_uploader(t("Or a file: plain text"), max_upload_size=MOST_SENT, key="teach-file")
    if not file and not pasted.strip():
        st.info(t("Paste a text or choose a file."))
        return None
    name = file.file_id if file else str(hash(pasted))
    held: Held = st.session_state.setdefault("teach-held", {})
    if name not in held:
        title, data = (file.name, file.getvalue()) if file else (t("Your text"), pasted.encode(errors="replace"))
        if len(data) <= AT_ONCE:
            mending.forget(READ)
            _read(held, name, title, data, lambda done, glimpse=None: None, lambda: False)
        else:
            mending.watch(mending.Wish(READ, name, partial(_read, held, name, title, data), READING), _nothing, t)
    return _found(held[name], t) if name in held else None


def _read(held: Held, name: str, title: str, data: bytes, report: Report, stopped: Callable[[], bool]) -> None:
    """Read a text into ``held``, or why it cannot be read."""

    def progress(done: float) -> None:
        if stopped():
            raise Cancelled
        report(done)

    try:
        found: OwnText | Refused = read_text(title, data, progress=progress)
    except Refused as refused:
        found = refused
    held.clear()
    held[name] = found


def _found(found: OwnText | Refused, t: Translator) -> OwnText | None:
    if isinstance(found, Refused):
        st.error(t.refusal(found), icon=":material/error:")
        return None
    st.success(
        t(
            "{count} sentences, read as {encoding}. Left out: {repeated} repeated, {more} too many. Cut: {cut}.",
            count=t.number(len(found.corpus.sentences)),
            encoding=found.encoding,
            repeated=t.number(found.repeated),
            more=t.number(found.left_out),
            cut=t.number(found.cut),
        )
    )
    return found


def _nothing(found: object, t: Translator) -> None:
    """What was read is shown below."""
