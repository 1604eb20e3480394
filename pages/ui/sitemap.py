"""The one list of pages: sections, addresses, titles."""

from dataclasses import dataclass
from pathlib import Path

from pages.ui.i18n import marked

PAGES = Path(__file__).parent.parent


@dataclass(frozen=True)
class Entry:
    """A page: its address and its English title. The first entry is the way in.

    No icons: Streamlit would fetch them from the internet for the browser's tab.
    """

    slug: str
    title: str

    @property
    def path(self) -> Path:
        """The page's script."""
        return PAGES / f"{self.slug}.py"


SECTIONS: dict[str, tuple[Entry, ...]] = {
    marked("Learn"): (
        Entry("home", marked("Home")),
        Entry("train", marked("Train")),
        Entry("compare", marked("Compare")),
    ),
    marked("Apply"): (
        Entry("denoise", marked("Denoise")),
        Entry("compress", marked("Compress")),
        Entry("swap", marked("Swap")),
        Entry("verify", marked("Verify")),
    ),
    marked("Look inside"): (
        Entry("latent", marked("Latent space")),
        Entry("text", marked("Text")),
        Entry("shelf", marked("Shelf")),
    ),
}

ENTRIES = {entry.slug: entry for section in SECTIONS.values() for entry in section}
