"""A passphrase around any bytes: AES-256-GCM by the package ``cryptography``, which is what keeps a secret, as a code does not.

AES-256-GCM (NIST SP 800-38D, https://doi.org/10.6028/NIST.SP.800-38D) hides the content and notices every change to it. Its key comes from
the passphrase by scrypt (RFC 7914, https://www.rfc-editor.org/rfc/rfc7914) with N = 2^15, r = 8, p = 3: 32 MB of memory and a few tenths of
a second for each guess. Salt and nonce are drawn anew from the operating system for each file, so that no key is ever used twice.

A file is: "aecx", version (1 byte), log2 N (1), r (1), p (1), salt (16), nonce (12), then the ciphertext, as long as the content, and its
tag (16). All that comes before the ciphertext is authenticated with it. What is not hidden is how long the content is. Secure it is as far as
nobody can guess the passphrase. The passphrase is Unicode in normal form C (as RFC 8265 asks), as UTF-8: an accent typed on
another keyboard is the same accent.
"""

import os
import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from aecore.refusal import Refused

MAGIC, VERSION = b"aecx", 1
COST = (15, 8, 3)
"""scrypt's log2 N, r and p."""
COSTS = (range(14, 17), range(8, 9), range(1, 5))
"""What a file may ask for: at most 64 MB, and under three times the work of COST."""
SALT, NONCE, TAG = 16, 12, 16
START = len(MAGIC) + 1 + len(COST) + SALT + NONCE
"""Bytes before the ciphertext."""
OVERHEAD = START + TAG
SHORTEST, LONGEST = 12, 1000
"""Characters of a passphrase."""
MOST_BYTES = 64 << 20


def lock(content: bytes, passphrase: str) -> bytes:
    """The content, readable only with the passphrase; ``Refused`` for one that is too short or too long, or too much content."""
    if len(unicodedata.normalize("NFC", passphrase)) < SHORTEST:
        raise Refused("This passphrase is too short. Take at least {count} characters, such as four words drawn by lot.", count=SHORTEST)
    if len(content) > MOST_BYTES:
        raise Refused("This file has more than {limit} MB, so it is not locked.", limit=MOST_BYTES >> 20)
    header = MAGIC + bytes([VERSION, *COST]) + os.urandom(SALT + NONCE)
    return header + AESGCM(_key(passphrase, header)).encrypt(header[-NONCE:], content, header)


def unlock(content: bytes, passphrase: str) -> bytes:
    """What :func:`lock` was given; ``Refused`` for a wrong passphrase, a changed file, or what is no such file. It may come from a stranger."""
    if len(content) > MOST_BYTES + OVERHEAD:
        raise Refused("This file has more than {limit} MB, so it is not opened.", limit=MOST_BYTES >> 20)
    if not content.startswith(MAGIC):
        raise Refused("This is not a locked file. Choose one that was locked here.")
    if len(content) < OVERHEAD:
        raise Refused("The end of this file is missing. Ask for it again.")
    if content[4] > VERSION:
        raise Refused(
            "This file is of format {version}, and this version reads format {known}. Use the version of the lab that wrote it.",
            version=content[4],
            known=VERSION,
        )
    if content[4] != VERSION or not all(value in allowed for value, allowed in zip(content[5:8], COSTS, strict=True)):
        raise Refused("This file's header asks for work that no file of ours asks for, so it is not opened. Ask for the file again.")
    header = content[:START]
    try:
        return AESGCM(_key(passphrase, header)).decrypt(header[-NONCE:], content[START:], header)
    except InvalidTag as error:
        raise Refused(
            "The passphrase is wrong, or the file has changed since it was locked: nobody can tell which. Try again, or ask for the file again."
        ) from error


def _key(passphrase: str, header: bytes) -> bytes:
    """32 bytes from a passphrase, by the cost and the salt in a header."""
    if len(passphrase) > LONGEST:
        raise Refused("This passphrase has more than {count} characters. Take a shorter one.", count=LONGEST)
    log, r, p = header[5:8]
    words = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    return Scrypt(salt=header[8 : 8 + SALT], length=32, n=1 << log, r=r, p=p).derive(words)
