"""What a swapped face can do to people, what the law says, and what this page refuses: before anything else, and in nobody's way."""

from html import escape

import streamlit as st

from pages.ui.i18n import Translator

STYLE = """<style>
.notice { border-left: 4px solid var(--st-primary-color, #d9480f); background: var(--st-secondary-background-color, rgb(128 128 128 / 0.12));
  border-radius: 0.4rem; padding: 0.9rem 1.2rem; line-height: 1.5; }
.notice h2 { font-size: 1.15rem; margin: 0 0 0.5rem; padding: 0; }
.notice .parts { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 0.7rem 1.6rem; }
.notice h3 { font-size: 0.95rem; margin: 0 0 0.15rem; padding: 0; }
.notice p, .notice li { font-size: 0.92rem; margin: 0; }
.notice summary { cursor: pointer; font-size: 0.92rem; margin-top: 0.7rem; }
.notice ul { margin: 0.4rem 0 0; padding-left: 1.2rem; }
.notice li { margin-bottom: 0.3rem; }
</style>"""


def show(t: Translator) -> None:
    """The notice as a landmark of the page: a named region that the keyboard and a screen reader come to first."""
    parts = (
        (
            t("What it did to people"),
            t(
                "Swapped faces have put people, above all women, into sexual scenes that never took place, let swindlers speak as a boss or "
                "a relative, and made candidates say what they never said. Whoever is in the picture bears the harm."
            ),
        ),
        (
            t("Whose face it is"),
            t(
                "A face belongs to its person: without consent, given for this purpose, leave it alone. In Brazil the Constitution, the Civil Code "
                "and the LGPD protect image, honour and personal data; in the European Union the GDPR does, and the AI Act wants deepfakes disclosed."
            ),
        ),
        (
            t("What this page refuses"),
            t(
                "It has no model of a real person. Own faces are off unless whoever runs this server allows them, and then only with the consent "
                "of both people. No picture or film leaves without a visible label, a watermark and a signed manifest."
            ),
        ),
        (
            t("The two people here do not exist"),
            t(
                "A and B were rendered by a computer program, frame by frame in the same poses. That makes them harmless, "
                "and it lets us measure what nobody can measure on real faces: how near a swap comes to the truth."
            ),
        ),
    )
    laws = (
        (
            t("Brazil"),
            t(
                "Honour and image are inviolable, and who harms them owes damages (Constitution, art. 5, X); the use of an image without leave "
                "can be forbidden where it hurts honour or serves trade (Civil Code, art. 20); biometric data are sensitive personal data (LGPD, Law 13.709/2018). It is a crime to put somebody "
                "into a sexual scene by montage (Penal Code, art. 216-B, sole paragraph) and to spread sexual scenes without consent (art. 218-C); "
                "the penalty for psychological violence against women rises by half where artificial intelligence altered image or "
                "voice (art. 147-B, by Law 15.123/2025). Election campaigns may not use deepfakes (TSE Resolution 23.732/2024)."
            ),
        ),
        (
            t("European Union"),
            t(
                "A recognisable face is personal data and needs a legal basis (GDPR, art. 6); biometric data that identify somebody are a special "
                "category (art. 9). Who provides a system that generates pictures must have these marked so that machines can tell, and who publishes a "
                "deepfake with it must disclose it (AI Act, Regulation (EU) 2024/1689, art. 50)."
            ),
        ),
    )
    cards = "".join(f"<div><h3>{escape(title)}</h3><p>{escape(words)}</p></div>" for title, words in parts)
    rows = "".join(f"<li><b>{escape(where)}.</b> {escape(words)}</li>" for where, words in laws)
    title, more = escape(t("Before you swap a face")), escape(t("The laws by name, in short (no legal advice)"))
    st.html(
        f'{STYLE}<section class="notice" role="region" aria-label="{title}" tabindex="0"><h2>{title}</h2>'
        f'<div class="parts">{cards}</div><details><summary>{more}</summary><ul>{rows}</ul></details></section>'
    )
