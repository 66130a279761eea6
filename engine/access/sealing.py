"""Reversible encryption of third-party secrets at rest, with a key of the installation.

AES-SIV is deterministic: equal secrets sealed for the same place are equal, so that a script can
compare them without reading them. Sealed for another place they differ and cannot be opened.
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
"""First byte of every sealed value, for its form."""


class Unsealable(Exception):
    """The value was sealed with an unknown key or for another place."""


class Sealer:
    """Seals with the first key and opens with any; without a key it does neither."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._ciphers = [AESSIV(_derive(key)) for key in keys]
        self.installation_ids = tuple(_installation_id(key) for key in keys)
        """Id of the installation derived from each key, in the order of the keys."""

    @classmethod
    def from_secret_key(cls, secret_key: str) -> "Sealer":
        """Create a sealer with the keys of the setting, newest first. Raises SettingError."""
        return cls(cls.keys_of(secret_key))

    @staticmethod
    def keys_of(secret_key: str) -> list[str]:
        """Return the keys of the setting, newest first. Raises SettingError."""
        keys = [key.strip() for key in secret_key.split(",") if key.strip()]
        if any(len(key) < MIN_KEY for key in keys):
            raise SettingError(f"{VARIABLE}: a key has at least {MIN_KEY} characters")
        return keys

    @property
    def has_key(self) -> bool:
        """True if a key is set."""
        return bool(self._ciphers)

    def require_key(self) -> None:
        """Raise SettingError if no key is set."""
        if not self.has_key:
            raise SettingError(
                f"{VARIABLE} is not set, and webhooks' secrets are stored sealed with it. Make one "
                "with `openssl rand -hex 32` and give the same to every gateway and worker; "
                "`headrace up` keeps one in its data directory as secret.key."
            )

    def seal(self, secret: str, place: Sequence[str]) -> bytes:
        """Return the secret sealed for a place. Raises SettingError without a key."""
        self.require_key()
        return MARK + self._ciphers[0].encrypt(secret.encode(), _associated(place))

    def open(self, stored: bytes, place: Sequence[str]) -> str:
        """Return the secret of a sealed value. Raises Unsealable."""
        for cipher in self._ciphers if is_sealed(stored) else ():
            try:
                return cipher.decrypt(stored.removeprefix(MARK), _associated(place)).decode()
            except InvalidTag:
                continue
        raise Unsealable


def is_sealed(stored: bytes) -> bool:
    """Return whether the value has the form of a sealed one."""
    return stored.startswith(MARK)


def _associated(place: Sequence[str]) -> list[bytes]:
    return [name.encode() for name in place]


def _installation_id(key: str) -> str:
    return hmac.new(key.encode(), INSTALLATION, hashlib.sha256).hexdigest()[:ID_DIGITS]


def _derive(key: str) -> bytes:
    return HKDF(algorithm=SHA512(), length=KEY_BYTES, salt=None, info=PURPOSE).derive(key.encode())
