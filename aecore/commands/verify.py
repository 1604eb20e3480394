"""``python -m aecore verify FILE``"""

import argparse
from pathlib import Path

from aecore import provenance
from aecore.provenance import Findings, Statement
from aecore.provenance.verifying import MOST_BYTES
from aecore.weights import read

STATES = {
    "absent": "none",
    "unreadable": "there is one, and it cannot be read",
    "altered": "there is one, and the file or the manifest has changed since it was signed",
    "intact": "intact; nobody here can vouch for its signer",
    "own": "intact, and signed by this installation",
}


def add_verify(commands: argparse._SubParsersAction) -> None:
    """``verify FILE``"""
    parser = commands.add_parser("verify", help="which marks of a generated picture or film a file carries")
    parser.add_argument("file", type=Path, metavar="FILE", help="PNG, JPEG, WebP, MP4 and others")
    parser.set_defaults(run=run_verify)


def run_verify(asked: argparse.Namespace) -> int:
    """Print what was found of each mark."""
    print("\n".join(said(provenance.verify(read(asked.file, MOST_BYTES), asked.file.name))))
    return 0


def said(found: Findings) -> list[str]:
    """The findings, a line each."""
    _, height, width = found.frame.shape
    seen, trace = found.visible, found.invisible
    place = (
        "" if trace.share == 1 and not trace.angle else f", in {trace.share:.0%} of the longer side, turned by {trace.angle:.1f} degrees"
    )
    return [
        f"{found.kind}, {width} x {height} pixels",
        f"visible label:       {_yes(seen.found)} (correlation {seen.score:.2f}, needed {seen.threshold:.2f})",
        f"invisible watermark: {_yes(trace.found)} (score {trace.score:.1f}, needed {trace.threshold:.1f}{place if trace.found else ''})",
        f"C2PA manifest:       {_claims(found.manifest)}",
        "That a mark is missing proves nothing: each of them can be removed.",
    ]


def _claims(manifest: Statement) -> str:
    told = {
        "signer": manifest.signer,
        "made by": manifest.generator,
        "as": manifest.source,
        "on": manifest.when,
        "faults": ", ".join(manifest.faults),
    }
    return "; ".join([STATES[manifest.state], *(f"{name} {value}" for name, value in told.items() if value)])


def _yes(found: bool) -> str:
    return "found" if found else "not found"
