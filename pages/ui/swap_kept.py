"""What a session holds of own faces, in memory alone, until the tab is closed or the visitor says so."""

import secrets
from dataclasses import dataclass, field

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from aecore.provenance import Format
from aecore.refusal import Refused
from aecore.swap.network import Swapper
from aecore.swap.own import Album, Consent

PEOPLE = ("A", "B")


@dataclass(eq=False)
class Keep:
    """Everything of one session: work in threads gets this alone, so that :meth:`forget` leaves nothing behind.

    ``files`` wait to be read, by person, or as "swap"; ``asked`` names what each piece of work was begun by; ``drawn`` are rows of
    frames while it learns, addresses of marked files by target; ``refused`` is what was wrong with the consent.
    """

    consent: Consent | None = None
    refused: Refused | None = None
    files: dict[str, list[bytes]] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    albums: dict[str, Album] = field(default_factory=dict)
    drawn: dict[str, str] = field(default_factory=dict)
    model: Swapper | None = None
    result: tuple[bytes, Format] | None = None
    gone: bool = False

    def forget(self) -> None:
        """Let go of all of it; whatever still works on it ends at its next step."""
        self.__dict__.update(vars(Keep()), gone=True)

    def ask(self, kind: str) -> None:
        """Begin a piece of work anew."""
        self.asked[kind] = secrets.token_hex(8)


@st.cache_resource(scope="session", on_release=Keep.forget, show_spinner=False)
def kept() -> Keep:
    """What this session holds; forgotten as soon as its tab is closed or loses its connection."""
    return Keep()


def forget() -> None:
    """Let go of it now."""
    kept().forget()
    kept.clear()


def taken(key: str) -> list[bytes]:
    """The contents of an uploader's files, which Streamlit then forgets; the uploader of the next round is empty."""
    given = st.session_state.get(uploader(key)) or []
    files = given if isinstance(given, list) else [given]
    contents = [each.getvalue() for each in files]
    context = get_script_run_ctx()
    if context and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for each in files:
            context.uploaded_file_mgr.remove_file(context.session_id, each.file_id)
    st.session_state[_round(key)] = st.session_state.get(_round(key), 0) + 1
    return contents


def uploader(key: str) -> str:
    """The key of an uploader in this round."""
    return f"{key}-{st.session_state.get(_round(key), 0)}"


def _round(key: str) -> str:
    return f"{key}-round"
