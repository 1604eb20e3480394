"""Is a code a secret? A stranger tries to read it, learns to read it, and meets a cipher."""

import inspect
from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from aecore import cipher
from aecore.codec import attack
from aecore.refusal import Refused
from pages.ui import stranger, widgets
from pages.ui.i18n import Translator

MOST_MEGABYTES = 1
T = TypeVar("T")


def section(t: Translator) -> None:
    """The question, four steps that answer it, and the lesson."""
    st.subheader(t("Is it encryption?"), anchor=False)
    st.markdown(
        t(
            "An .aec file looks like noise, and nobody opens it without the decoder. People have called that encryption. "
            "Be the stranger who wants to see ten digits that somebody has compressed and sent."
        )
    )
    with st.expander(t("Break it, then lock it"), icon=":material/lock_open:", on_change="rerun", key="secrets") as panel:
        if panel.open:
            stranger.wrong(t)
            stranger.learnt(t)
            stranger.alike(t)
            _locked(t)
            st.info(
                t(
                    "A code hides a picture only from who has neither the decoder nor examples, and whoever has some examples makes a decoder. "
                    "What is to stay secret goes under a cipher after it was compressed."
                ),
                icon=":material/key:",
            )
    with st.expander(t("Explain: a code is no cipher"), icon=":material/school:"):
        lesson, code = st.tabs([t("Lesson"), t("The code that runs")])
        lesson.markdown(t.lesson("encryption"))
        with code:
            st.caption(t("Not a copy: this is read from the program as it runs."))
            for each in (attack.learn, cipher.lock, cipher.unlock):
                st.code(inspect.getsource(each), "python")


def _locked(t: Translator) -> None:
    st.markdown("#### " + t("4. Under a cipher"))
    st.markdown(
        t(
            "AES-256-GCM is a cipher that the world has tried to break for decades, and scrypt makes its key from a passphrase. Together they are "
            "secure, as far as anybody knows, as long as nobody can guess the passphrase. Lock the file of the first digit with them."
        )
    )
    here = stranger.scene()
    file = here.encoder.write(here.secrets[0])[0]
    with st.form("lock", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        words = t(
            "At least {count} characters. It goes to this server, so take none that protects anything of yours.", count=cipher.SHORTEST
        )
        st.text_input(t("Passphrase"), type="password", key="lock-passphrase", max_chars=cipher.LONGEST, help=words)
        st.form_submit_button(t("Lock"), icon=":material/lock:", on_click=_lock, args=(file,))
    locked = st.session_state.get("locked")
    if isinstance(locked, Refused):
        st.error(t.refusal(locked))
    elif locked:
        once, again = locked
        for words, content in (
            (t("The .aec file, {size}", size=t.size(len(file))), file),
            (t("Locked, {size}", size=t.size(len(once))), once),
            (t("Locked once more, with the same passphrase"), again),
        ):
            st.caption(words)
            st.code(content.hex(" "), None, wrap_lines=True)
        st.markdown(
            t(
                "The first eight bytes say what the file is; after them nothing agrees, because salt and nonce are drawn anew each time. "
                "So a thousand known pairs teach nothing about the next file. All it tells is how long its content is."
            )
        )
        st.download_button(t("Download the locked file"), once, "digit.aec.locked", icon=":material/download:", on_click="ignore")
    _opened(t)


def _opened(t: Translator) -> None:
    """Open a file, as it is or with a byte changed: the one given, or the one that was locked here."""
    with st.form("unlock", border=False):
        st.file_uploader(t("A locked file; without one, the file above is opened"), max_upload_size=MOST_MEGABYTES, key="unlock-file")
        st.text_input(t("Passphrase to open it"), type="password", key="unlock-passphrase", max_chars=cipher.LONGEST)
        with st.container(horizontal=True):
            st.form_submit_button(t("Open"), icon=":material/lock_open:", on_click=_open, args=(False,))
            st.form_submit_button(t("Change one byte, then open"), icon=":material/edit:", on_click=_open, args=(True,))
    opened = st.session_state.get("opened")
    if isinstance(opened, Refused):
        st.error(t.refusal(opened), icon=":material/lock:")
    elif opened is not None:
        st.success(t("Open: not a bit of it has changed, and the decoder reads it."), icon=":material/lock_open:")
        widgets.strip([widgets.row(t("What was in it"), opened[None].numpy())], key="unlocked")


# What a button asks is done before the page is drawn: a run of the page that another one overtakes would lose it.
def _lock(file: bytes) -> None:
    passphrase = st.session_state["lock-passphrase"]
    st.session_state["locked"] = _tried(lambda: (cipher.lock(file, passphrase), cipher.lock(file, passphrase)))
    st.session_state.pop("opened", None)


def _open(spoilt: bool) -> None:
    given, locked = st.session_state["unlock-file"], st.session_state.get("locked")
    content = given.getvalue() if given else locked[0] if isinstance(locked, tuple) else b""
    passphrase = st.session_state["unlock-passphrase"]
    st.session_state["opened"] = _tried(
        lambda: stranger.scene().decoder.read(cipher.unlock(changed(content) if spoilt else content, passphrase))
    )


def _tried(work: Callable[[], T]) -> T | Refused:
    """What the work gives, or why it was refused."""
    try:
        return work()
    except Refused as refused:
        return refused


def changed(content: bytes) -> bytes:
    """The content with one bit of its last byte turned over."""
    return content[:-1] + bytes(each ^ 1 for each in content[-1:])
