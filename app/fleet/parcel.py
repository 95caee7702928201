"""Packs a job for the cluster's configuration: JSON with the passphrase encrypted with the fleet's key.

Every host of the cluster can read it, and so can everyone who may read the cluster's configuration.
"""

from __future__ import annotations

import ipaddress
import os
import stat
from pathlib import Path
from typing import Final

import msgspec

from app.domain.json_value import JsonObject
from app.domain.secret import Secret
from app.domain.stored_spec import SpecUnreadable, encode_spec, read_spec, with_passphrase
from app.protocol import Job
from app.store.cipher import Cipher, WrongKey

KEY_CHARACTERS_MIN: Final = 32
TEXT_BYTES_MAX: Final = 64 * 1024
_KEY_BYTES_MAX: Final = 4096
_PURPOSE: Final = b"mcr-srt-streamer passphrases of a fleet 1"


class NoFleetKey(Exception):
    """The fleet's key file cannot be used; the text says why and names the remedy."""


class WrongFleetKey(Exception):
    """The passphrase was encrypted with another fleet's key."""


class BadParcel(Exception):
    """The text is not a job of this version; the message says which part is wrong."""


class _Parcel(msgspec.Struct, frozen=True):
    """`job` is a Job without its spec, `spec` is in the store's form, `passphrase` is a token of the fleet's key."""

    job: JsonObject
    spec: JsonObject
    passphrase: str = ""


def read_fleet_key(path: Path) -> Cipher:
    """Return the cipher with the key in a file. Raises NoFleetKey."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_KEY_BYTES_MAX).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NoFleetKey(f"the fleet key {path} cannot be read: {error}; copy it from another host") from None
    if mode & stat.S_IRWXO:
        raise NoFleetKey(f"the fleet key {path} can be read by others: chmod 640 {path}")
    if len(text) < KEY_CHARACTERS_MIN:
        raise NoFleetKey(f"the fleet key {path} has fewer than {KEY_CHARACTERS_MIN} characters; make it again")
    return Cipher(Secret(text), _PURPOSE)


def pack(job: Job, cipher: Cipher) -> str:
    """Return the text for the cluster's configuration."""
    encryption = job.spec.encryption
    token = "" if encryption is None else cipher.encrypt(encryption.passphrase).decode()
    fields = {name: getattr(job, name) for name in job.__struct_fields__ if name != "spec"}
    spec = msgspec.json.decode(encode_spec(job.spec))
    return msgspec.json.encode(_Parcel(msgspec.to_builtins(fields), spec, token)).decode()


def _check_address(address: str) -> None:
    """Refuse an address that is not numeric, because it becomes a part of a URI. Raises BadParcel."""
    try:
        if address:
            ipaddress.ip_address(address)
    except ValueError:
        raise BadParcel(f"the address {address!r} is not numeric; write it as 192.0.2.9/24") from None


def bound_to(text: str, address: str) -> str:
    """Return the text of a job with its listener bound to that address. Raises BadParcel."""
    try:
        parcel = msgspec.json.decode(text, type=_Parcel)
    except msgspec.DecodeError as error:
        raise BadParcel(str(error)) from None
    _check_address(address)
    job = parcel.job | {"bind_address": address}
    return msgspec.json.encode(msgspec.structs.replace(parcel, job=job)).decode()


def unpack(text: str, cipher: Cipher) -> Job:
    """Return the job with its passphrase. Raises BadParcel and WrongFleetKey."""
    if len(text.encode(errors="surrogateescape")) > TEXT_BYTES_MAX:
        raise BadParcel(f"it is longer than {TEXT_BYTES_MAX >> 10} kB")
    try:
        parcel = msgspec.json.decode(text, type=_Parcel)
        spec, key_bits = read_spec(parcel.spec)
        job = msgspec.convert(parcel.job | {"spec": msgspec.to_builtins(spec)}, Job)
        _check_address(job.bind_address)
        if key_bits is None:
            return job
        passphrase = cipher.decrypt(parcel.passphrase.encode())
        return msgspec.structs.replace(job, spec=with_passphrase(spec, key_bits, passphrase))
    except WrongKey:
        raise WrongFleetKey from None
    except (msgspec.DecodeError, SpecUnreadable) as error:
        raise BadParcel(str(error)) from None
