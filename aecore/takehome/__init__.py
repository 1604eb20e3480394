"""A run to take home: a script and a notebook of its settings, free of this package, that print its loss again."""

from aecore.takehome.script import bundle, notebook, script

__all__ = ["bundle", "notebook", "script"]
