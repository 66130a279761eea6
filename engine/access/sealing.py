"""Secrets of others that must be read again: sealed at rest with a key of the installation.

AES-SIV: what is sealed twice for the same place looks the same, so that a script can tell a secret
from another without reading either; for another place it can neither be compared nor opened.
"""

import hashlib
import hmac
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from engine.settings import PREFIX, SettingError

VARIABLE = PREFIX + "SECRET_KEY"
MIN_KEY = 32
KEY_BYTES = 64
PURPOSE = b"headrace: secrets at rest"
INSTALLATION = b"headrace: installation"
ID_DIGITS = 32
MARK = b"\x01"
"""What is sealed begins with this; no secret does."""


class Unsealable(Exception):
    """Sealed with a key that is not here, or for another place."""


class Sealer:
    """Seals with the first key and opens with any; without a key it only reads what is plain."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._ciphers = [AESSIV(_derive(key)) for key in keys]
        self.installation_ids = tuple(_installation_id(key) for key in keys)
        """The id of the installation by each key, in the order of the keys."""

    @classmethod
    def of(cls, secret_key: str) -> "Sealer":
        """With the keys that a setting lists, the newest first. Raises SettingError."""
        return cls(cls.keys_of(secret_key))

    @staticmethod
    def keys_of(secret_key: str) -> list[str]:
        """The keys that a setting lists, the newest first. Raises SettingError."""
        keys = [key.strip() for key in secret_key.split(",") if key.strip()]
        if any(len(key) < MIN_KEY for key in keys):
            raise SettingError(f"{VARIABLE}: a key has at least {MIN_KEY} characters")
        return keys

    @property
    def has_key(self) -> bool:
        """Whether anything can be sealed."""
        return bool(self._ciphers)

    def require_key(self) -> None:
        """Raises SettingError when there is no key."""
        if not self.has_key:
            raise SettingError(
                f"{VARIABLE} is not set, and webhooks' secrets are kept sealed with it. Make one "
                "with `openssl rand -hex 32` and give the same to every gateway and worker; "
                "`headrace up` keeps one in its data directory as secret.key."
            )

    def seal(self, secret: str, place: Sequence[str]) -> bytes:
        """The secret as it is kept at a place. Raises SettingError without a key."""
        self.require_key()
        return MARK + self._ciphers[0].encrypt(secret.encode(), _associated(place))

    def open(self, kept: bytes, place: Sequence[str]) -> str:
        """The secret again, one that was kept plain too. Raises Unsealable."""
        if not is_sealed(kept):
            return kept.decode()
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(kept.removeprefix(MARK), _associated(place)).decode()
            except InvalidTag:
                continue
        raise Unsealable


def is_sealed(kept: bytes) -> bool:
    """Whether it is sealed, or plain from before there was a key."""
    return kept.startswith(MARK)


def _associated(place: Sequence[str]) -> list[bytes]:
    return [name.encode() for name in place]


def _installation_id(key: str) -> str:
    return hmac.new(key.encode(), INSTALLATION, hashlib.sha256).hexdigest()[:ID_DIGITS]


def _derive(key: str) -> bytes:
    return HKDF(algorithm=SHA512(), length=KEY_BYTES, salt=None, info=PURPOSE).derive(key.encode())
