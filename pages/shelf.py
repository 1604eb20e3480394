"""Shelf: the models that come with the lab and the visitor's own, each with its card."""

from pages.ui import frame, shelf_view, state

t = frame.enter("shelf")
if name := state.model():
    shelf_view.detail(name, t)
else:
    shelf_view.gallery(t)
