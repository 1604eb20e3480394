"""Every session_state key and query parameter, behind typed functions."""

import hashlib
import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from urllib.parse import urlencode

import streamlit as st
from torch import Tensor

from aecore.knobs import Knob, Value
from aecore.refusal import Refused
from pages.ui import i18n

RUN = re.compile(r"[0-9a-f]{16}")
Mark = tuple[str, Tensor]
NO_SETTINGS = ("lang", "run", "model")  # names in an address that set no knob


def visitor() -> str:
    """Who is looking: the same for all tabs of a browser, also after a reload; says nothing of the person.

    Derived from the random token that Streamlit gives each browser against forged requests; without one, random per session.
    """
    if "visitor" not in st.session_state:
        token = unmasked(str(st.context.cookies.get("_streamlit_xsrf", ""))) or secrets.token_bytes(16)
        st.session_state.visitor = hashlib.sha256(token).hexdigest()[:16]
    return st.session_state.visitor


def session() -> str:
    """One tab, until it is reloaded."""
    if "session" not in st.session_state:
        st.session_state.session = secrets.token_hex(8)
    return st.session_state.session


def unmasked(cookie: str) -> bytes:
    """The token in a cookie "2|mask|masked token|time"; each answer of the server masks the same token anew."""
    try:
        version, mask, masked, _ = cookie.split("|")
        key, text = bytes.fromhex(mask), bytes.fromhex(masked)
    except ValueError:
        return b""
    return bytes(each ^ key[place % len(key)] for place, each in enumerate(text)) if version == "2" and key else b""


def language() -> str:
    """The visitor's language: from the link, else as chosen before, else the browser's."""
    asked = st.query_params.get("lang")
    if asked in i18n.LANGUAGES:
        st.session_state.language = asked
    elif "language" not in st.session_state:
        st.session_state.language = i18n.closest(st.context.locale)
    return st.session_state.language


def choose_language(name: str) -> None:
    """Speak ``name`` from now on."""
    st.session_state.language = name
    st.query_params["lang"] = name


def knob_key(name: str) -> str:
    """The session_state key of the widget of knob ``name``."""
    return f"knob-{name}"


def open_link() -> None:
    """Where the address is not what this session has written there, somebody has followed a link: what was set before is forgotten.

    An address without settings is the navigation's, and forgets nothing.
    """
    asked = {name: value for name, value in st.query_params.to_dict().items() if name not in NO_SETTINGS}
    if asked and asked != st.session_state.get("link-written"):
        for key in [each for each in st.session_state if str(each).startswith(knob_key(""))]:
            del st.session_state[key]
        for name in ("variant-drawn", "run"):
            st.session_state.pop(name, None)


def open_knob(knob: Knob) -> Refused | None:
    """Give a knob's widget its first value: from the link, else the default. A bad value gives the default and its refusal."""
    key = knob_key(knob.name)
    if key in st.session_state:
        try:
            knob.check(st.session_state[key])
        except Refused:  # another variant's knob of the same name, with other limits
            st.session_state[key] = knob.default
        return None
    st.session_state[key] = knob.default
    if knob.name in st.query_params:
        try:
            st.session_state[key] = knob.read(st.query_params[knob.name])
        except Refused as error:
            return error
    return None


def open_variant(name: str, knobs: Iterable[str]) -> None:
    """Note which variant is drawn; after a change, forget what ``knobs`` were set to, so that it begins with its own defaults."""
    if st.session_state.get("variant-drawn", name) != name:
        for each in knobs:
            st.session_state.pop(knob_key(each), None)
            st.query_params.pop(each, None)
    st.session_state["variant-drawn"] = name


def open_follower(name: str, leader: str) -> None:
    """Note what setting ``name`` takes its default from; once that is another, forget what it was set to."""
    noted = knob_key(f"{name}-follows")
    if st.session_state.get(noted, leader) != leader:
        st.session_state.pop(knob_key(name), None)
        st.query_params.pop(name, None)
    st.session_state[noted] = leader


def open_options(knob: Knob) -> None:
    """Say the value of a choice anew where its options are others than before: the widget would forget it."""
    key, noted = knob_key(knob.name), knob_key(f"{knob.name}-options")
    if st.session_state.get(noted, knob.limits) != knob.limits and key in st.session_state:
        st.session_state[key] = st.session_state[key]
    st.session_state[noted] = knob.limits


def open_settings(values: Mapping[str, Value]) -> None:
    """Set the knobs in ``values``, and all others to their defaults."""
    for key in [each for each in st.session_state if str(each).startswith(knob_key(""))]:
        del st.session_state[key]
    st.query_params.clear()
    for name, value in values.items():
        st.session_state[knob_key(name)] = value
    st.session_state["variant-drawn"] = values["variant"]


def open_list(name: str, options: Collection[str]) -> Refused | None:
    """Give a widget of several choices its first value: from the link, names joined by commas, else all. A bad one gives all and its refusal."""
    key = knob_key(name)
    if key in st.session_state:
        return None
    asked = st.query_params.get(name, "")
    names = asked.split(",") if asked else list(options)
    unknown = [each for each in names if each not in options]
    st.session_state[key] = list(options) if unknown else list(dict.fromkeys(names))
    if unknown:
        return Refused("{name} must be one of: {options}.", name=name, options=", ".join(options))
    return None


def open_words(name: str, usual: str, most: int) -> None:
    """Give a field for words its first value: from the link, in one line and cut to ``most`` characters, else ``usual``."""
    key = knob_key(name)
    if key not in st.session_state:
        st.session_state[key] = " ".join(st.query_params.get(name, usual).split())[:most]


def taught() -> object | None:
    """What reads and writes on the page Text by this session's own teaching, or None."""
    return st.session_state.get("text-taught")


def keep_taught(reader: object) -> None:
    """Keep what was taught, and use it."""
    st.session_state["text-taught"] = reader
    st.session_state["text-mine"] = True


def run() -> str | None:
    """The run that the page shows: from the link, else the one shown last."""
    asked = st.query_params.get("run", "")
    if RUN.fullmatch(asked):
        st.session_state.run = asked
    return st.session_state.get("run")


def show_run(name: str | None) -> None:
    """Show run ``name`` from now on, also after a reload."""
    st.session_state.run = name
    if name is None:
        st.query_params.pop("run", None)
    else:
        st.query_params["run"] = name


def guess(name: str) -> float | None:
    """What the visitor guessed before run ``name``, or None."""
    return st.session_state.get("guesses", {}).get(name)


def keep_guess(name: str, value: float) -> None:
    """Remember the guess made before run ``name``; a first guess stands."""
    st.session_state.setdefault("guesses", {}).setdefault(name, value)


def model() -> str | None:
    """The model that the Shelf shows in full, as the link names it, or None for all of them."""
    return st.query_params.get("model")


def show_model(name: str | None) -> None:
    """Show model ``name`` on the Shelf from now on, or all models."""
    if name is None:
        st.query_params.pop("model", None)
    else:
        st.query_params["model"] = name


def upload_key() -> str:
    """The key of the Shelf's uploader; a new one after each model taken, so that it is empty again."""
    return f"shelf-files-{st.session_state.get('models-taken', 0)}"


def empty_upload() -> None:
    """Begin with an empty uploader on the Shelf."""
    st.session_state["models-taken"] = st.session_state.get("models-taken", 0) + 1


def keep_winner(name: str, variant: str) -> None:
    """Remember which variant the visitor took for the best before run ``name``."""
    st.session_state.setdefault("winners", {}).setdefault(name, variant)


def winner(name: str) -> str | None:
    """The variant guessed before run ``name``, or None."""
    return st.session_state.get("winners", {}).get(name)


def own_data() -> str | None:
    """The name of the data set made of the visitor's own pictures, or None."""
    return st.session_state.get("own-data")


def keep_own_data(name: str | None) -> None:
    """Remember the name of the visitor's own data set."""
    st.session_state["own-data"] = name


def marks(model: str) -> dict[str, Mark]:
    """The codes that the visitor has marked on maps of ``model``, each with words that say what it is of, by its letter."""
    kept = st.session_state.setdefault("marks", {})
    return kept.setdefault(model, {})


def keep_mark(model: str, letter: str, words: str, code: Tensor) -> None:
    """Mark a ``code`` ``(n,)`` of ``model`` with a letter; ``words`` say what it is of."""
    marks(model)[letter] = (words, code)


def put_in_link(values: Mapping[str, Value], defaults: Mapping[str, Value]) -> None:
    """Write what is not default to the address bar, so that a reload or a copied address brings it back."""
    for name, value in values.items():
        if value == defaults.get(name):
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != (text := str(value).lower() if isinstance(value, bool) else str(value)):
            st.query_params[name] = text
    st.session_state["link-written"] = {name: value for name, value in st.query_params.to_dict().items() if name not in NO_SETTINGS}


def link() -> str:
    """The address that opens exactly this page in this state and language."""
    address = (st.context.url or "").split("?")[0]
    query = {**st.query_params.to_dict(), "lang": language()}
    if query.get("data") == "own":  # the run would show the visitor's own pictures to whoever has the link
        query.pop("run", None)
    return f"{address}?{urlencode(query)}"
