"""The manifest: a signed statement within the file of what made it, by the open standard C2PA (https://spec.c2pa.org).

It holds a digest of all other bytes of the file, so any change shows. Removing it leaves no trace. It is read and written by ``c2pa-python``,
which is kept from the network: no manifest is fetched from an address that a file names, and no certificate is asked after.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from typing import Any, Literal

import c2pa

from aecore.data.own import shown
from aecore.provenance.certificate import credentials

Source = Literal["generated", "composite"]
SOURCES: dict[Source, str] = {"generated": "trainedAlgorithmicMedia", "composite": "compositeWithTrainedAlgorithmicMedia"}
"""Wholly made by a network; or a picture of which a network made a part. Terms of https://cv.iptc.org/newscodes/digitalsourcetype/"""
PREFIX = "http://cv.iptc.org/newscodes/digitalsourcetype/"
GENERATOR = "Autoencoder Lab"
State = Literal["absent", "unreadable", "altered", "intact", "own"]
OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}, "builder": {"thumbnail": {"enabled": False}}}
UNTRUSTED = "signingCredential.untrusted"


@dataclass(frozen=True)
class Statement:
    """What a file says of itself, and how far that holds; words are a stranger's, made fit to be shown.

    ``state`` is "absent"; "unreadable"; "altered": file or manifest have changed since it was signed, or the signature is not valid, for the
    reasons in ``faults`` (codes of C2PA); "intact": unchanged, by a signer that nobody here can vouch for; "own": unchanged and signed by this
    very installation. ``source`` is IPTC's term for how it was made.
    """

    state: State = "absent"
    signer: str = ""
    generator: str = ""
    source: str = ""
    actions: tuple[str, ...] = ()
    when: str = ""
    faults: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether there is a manifest, and the file is as it was signed."""
        return self.state in ("intact", "own")


def sign(content: bytes, kind: str, source: Source) -> bytes:
    """A marked file of MIME type ``kind`` with its manifest."""
    own = credentials()
    info = c2pa.C2paSignerInfo(b"es256", own.chain, own.key, None)
    signed = BytesIO()
    with (
        c2pa.Context(c2pa.Settings.from_dict(OFFLINE), c2pa.Signer.from_info(info)) as context,
        c2pa.Builder(_definition(source), context) as builder,
    ):
        builder.sign(kind, BytesIO(content), signed)
    return signed.getvalue()


def read(content: bytes, kind: str) -> Statement:
    """What a stranger's file of MIME type ``kind`` says of itself. Its size is to be limited before."""
    if kind not in c2pa.Reader.get_supported_mime_types():
        return Statement()
    settings = OFFLINE | {"trust": {"user_anchors": credentials().root.decode()}}
    try:
        with c2pa.Context(c2pa.Settings.from_dict(settings)) as context:
            reader = c2pa.Reader.try_create(kind, BytesIO(content), context=context)
            if reader is None:
                return Statement()
            with reader:
                found = json.loads(reader.json())
        return _statement(found)
    except (c2pa.C2paError, ValueError, TypeError, AttributeError, KeyError):  # what a crafted manifest may lead to
        return Statement("unreadable")


def _statement(found: Mapping[str, Any]) -> Statement:
    active = found["manifests"][found["active_manifest"]]
    failed = found.get("validation_results", {}).get("activeManifest", {}).get("failure", [])
    faults = tuple(dict.fromkeys(_words(each["code"]) for each in failed if each["code"] != UNTRUSTED))
    state: State = {"Trusted": "own", "Valid": "intact"}.get(found.get("validation_state", ""), "altered")  # pyright: ignore[reportAssignmentType]
    labelled = [each for each in active.get("assertions", []) if str(each.get("label", "")).startswith("c2pa.actions")]
    actions = [each for assertion in labelled for each in assertion["data"].get("actions", [])]
    signature, generators = active.get("signature_info") or {}, active.get("claim_generator_info") or [{}]
    return Statement(
        state,
        _words(signature.get("common_name") or signature.get("issuer")),
        _words(generators[0].get("name")),
        next((_words(each["digitalSourceType"]) for each in actions if each.get("digitalSourceType")), ""),
        tuple(_words(each.get("action")) for each in actions[:8]),
        next((_words(each["when"]) for each in actions if each.get("when")), ""),
        faults,
    )


def _definition(source: Source) -> dict[str, Any]:
    created = {
        "action": "c2pa.created",
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "digitalSourceType": PREFIX + SOURCES[source],
        "softwareAgent": {"name": GENERATOR, "version": _version()},
        "description": "Made by an autoencoder. What it shows did not happen.",
    }
    marks = [
        {"action": "c2pa.edited", "description": "A visible label was drawn on it."},
        {"action": "c2pa.watermarked.unbound", "description": "An invisible watermark was added."},
    ]
    return {
        "claim_generator_info": [{"name": GENERATOR, "version": _version()}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [created, *marks]}}],
    }


def _version() -> str:
    try:
        return version("autoencoder-lab")
    except PackageNotFoundError:
        return "0"


def _words(value: object) -> str:
    """A stranger's words, short and printable; of an address only its end."""
    return shown(str(value)) if value else ""
