"""Where pictures come from: three marks on all that is made from faces, and the reading of them from anybody's file.

>>> content = export(frames, "mp4")
>>> verify(content, "film.mp4").invisible.found
True
"""

from aecore.provenance.exporting import FORMATS, Format, export
from aecore.provenance.label import Sight
from aecore.provenance.manifest import Source, Statement
from aecore.provenance.verifying import Findings, verify
from aecore.provenance.watermark import Trace

__all__ = ["FORMATS", "Findings", "Format", "Sight", "Source", "Statement", "Trace", "export", "verify"]
