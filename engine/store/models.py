"""Models saved over HTTP, in all their versions, and their load into registries."""

import asyncio
import contextlib
import logging
import math
import secrets
import time
from dataclasses import dataclass

from engine.errors import EngineError, InvalidBody, ModelNotFound, VersionConflict
from engine.models import registry
from engine.models.manifest import ManifestError, Model, parse_manifest
from engine.store.audit import AuditAction, AuditedAct, AuditLog
from engine.store.formats import Format
from engine.store.redis import channels, keyspace
from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client
from engine.store.redis.record_packing import pack, unpack
from engine.store.redis.scripts import SCRIPTS
from engine.store.redis.subscription import Subscription

MAX_FORMER = 50
"""Former versions kept for each model."""
MAX_SAVED = 200
"""Most saved models, and most deleted models with kept versions."""
LOOK_SECONDS = 10.0
"""Time between reads of the saved models without a notification of a change."""
FOLDER_SECONDS = 2.0
"""Time between reads of the operator's folder, and of saved models after a failed read."""
NEW = "new"
"""Stands for the version that a model has before its first."""
LIVE = b"created:"
CHANGES = channels.model_changes()

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedModel:
    """Version of a model's manifest. Times are milliseconds since the epoch."""

    internal_name: str
    version: int
    text: str
    saved_by: str
    """Id of the account that saved the version."""
    created_at: int
    updated_at: int


class ModelStore:
    """Saves, reads and deletes manifests, and loads them into this process's registry."""

    def __init__(self, client: Client, audit: AuditLog) -> None:
        self._client = client
        self._audit = audit
        self._lock = asyncio.Lock()
        self._generation: bytes | None = b"nothing yet"
        self._parsed: dict[str, tuple[str, Model | ManifestError]] = {}

    async def create(self, name: str, text: str, saved_by: str) -> SavedModel:
        """Save the first version. Raises InvalidBody when it exists or the limit is reached."""
        return await self._save(name, text, saved_by, NEW)

    async def update(
        self, name: str, text: str, saved_by: str, expected_version: int | None = None
    ) -> SavedModel:
        """Save the next version. Raises ModelNotFound, or VersionConflict with a newer one."""
        expected = "" if expected_version is None else str(expected_version)
        return await self._save(name, text, saved_by, expected)

    async def _save(self, name: str, text: str, saved_by: str, expected: str) -> SavedModel:
        record = pack({"text": text, "by": saved_by, **Format.MODEL.members})
        action = AuditAction.MODEL_CREATE if expected == NEW else AuditAction.MODEL_UPDATE
        act = AuditedAct(by=saved_by, action=action, subject=name)
        reply = await self._client.call(
            SCRIPTS["save_model"],
            models=keyspace.models(),
            audit=keyspace.models_audit(),
            model=name,
            operation=secrets.token_hex(8),
            expected=expected,
            manifest=record,
            most_former=MAX_FORMER,
            changes=CHANGES,
            most_models=MAX_SAVED,
            act=self._audit.arguments(act),
        )
        match reply:
            case [b"full"]:
                most = f"{MAX_SAVED} models are saved, as many as may be: delete one"
                raise InvalidBody(most, field="manifest")
            case [b"taken"]:
                taken = f"The model '{name}' is saved already; PUT replaces it"
                raise InvalidBody(taken, field="manifest")
            case [b"gone"]:
                raise _not_saved(name)
            case [b"conflict", current]:
                raise VersionConflict(int(current), "model")
        _, version, created, updated = reply
        await self._try_read()
        return SavedModel(
            internal_name=name,
            version=int(version),
            text=text,
            saved_by=saved_by,
            created_at=int(created),
            updated_at=int(updated),
        )

    async def get(self, name: str, version: int | None = None) -> SavedModel:
        """Return the current version, or a kept former one. Raises ModelNotFound."""
        key = keyspace.models()
        current, created = await self._client.send(
            "HMGET", key, f"version:{name}", f"created:{name}"
        )
        if created is None:
            raise _not_saved(name)
        number = int(current) if version is None else version
        at, data = await self._client.send(
            "HMGET", key, f"at:{name}:{number}", f"manifest:{name}:{number}"
        )
        if data is None:
            raise ModelNotFound
        return _saved(name, int(created), number, at, data)

    async def versions(self, name: str) -> list[SavedModel]:
        """Return the current and the kept former versions, newest first.

        Raises ModelNotFound.
        """
        now = await self.get(name)
        numbers = range(now.version - 1, max(0, now.version - MAX_FORMER - 1), -1)
        fields = [f"{part}:{name}:{number}" for number in numbers for part in ("at", "manifest")]
        data = await self._client.send("HMGET", keyspace.models(), *fields) if fields else []
        rows = zip(numbers, data[::2], data[1::2], strict=True)
        return [
            now,
            *(
                _saved(name, now.created_at, number, at, manifest)
                for number, at, manifest in rows
                if manifest is not None
            ),
        ]

    async def delete(self, name: str, deleted_by: str) -> int:
        """Delete the model and return its last version; a file of that name takes effect again.

        Raises ModelNotFound.
        """
        act = AuditedAct(by=deleted_by, action=AuditAction.MODEL_DELETE, subject=name)
        version = await self._client.call(
            SCRIPTS["delete_model"],
            models=keyspace.models(),
            audit=keyspace.models_audit(),
            model=name,
            operation=secrets.token_hex(8),
            changes=CHANGES,
            act=self._audit.arguments(act),
        )
        if not version:
            raise _not_saved(name)
        await self._try_read()
        return int(version)

    async def watch(self, address: RedisAddress) -> None:
        """Follow changes of saved models by notifications and by regular reads.

        The operator's folder is read every few seconds, so that an idle process notices changed
        files before it needs them.
        """
        changed = asyncio.Event()
        read_at = -math.inf
        subscription = Subscription(address, CHANGES)
        async with subscription.running(lambda _: changed.set(), changed.set):
            while True:
                is_late = time.monotonic() - read_at >= LOOK_SECONDS
                if changed.is_set() or is_late:
                    changed.clear()
                    is_read = await self._try_read()
                    read_at = time.monotonic() if is_read else -math.inf
                registry.generation()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FOLDER_SECONDS):
                        await changed.wait()

    async def _try_read(self) -> bool:
        with contextlib.suppress(EngineError):
            await self.look()
            return True
        return False

    async def look(self) -> None:
        """Load the saved models into the registry if they have changed since the last read."""
        async with self._lock:
            generation = await self._client.send("HGET", keyspace.models(), "generation")
            if generation == self._generation:
                return
            texts = await self._read_texts()
            self._parsed = {name: self._parse(name, text) for name, text in texts.items()}
            parsed = (model for _, model in self._parsed.values())
            registry.use_saved(each for each in parsed if isinstance(each, Model))
            self._generation = generation

    async def catch_up(self) -> bool:
        """Read the saved models and the operator's folder; True when models have changed."""
        before = registry.generation()
        registry.reload_folder()
        await self.look()
        return registry.generation() != before

    def left_out(self) -> dict[str, list[str]]:
        """Return the saved models that this process could not load, each with the reasons."""
        reasons = {
            name: [fault.reason for fault in error.faults]
            for name, (_, error) in self._parsed.items()
            if isinstance(error, ManifestError)
        }
        return reasons | {name: list(causes) for name, causes in registry.saved_faults().items()}

    def is_unreadable(self, name: str) -> bool:
        """Return whether a model is saved in a form that this process does not know."""
        _, parsed = self._parsed.get(name, ("", None))
        return isinstance(parsed, ManifestError)

    async def _read_texts(self) -> dict[str, str]:
        key = keyspace.models()
        fields = await self._client.send("HKEYS", key)
        names = sorted(each.removeprefix(LIVE).decode() for each in fields if each.startswith(LIVE))
        if not names:
            return {}
        versions = await self._client.send("HMGET", key, *(f"version:{name}" for name in names))
        numbered = zip(names, versions, strict=True)
        manifests = await self._client.send(
            "HMGET", key, *(f"manifest:{name}:{int(version or 0)}" for name, version in numbered)
        )
        return {
            name: _text_of(data)
            for name, data in zip(names, manifests, strict=True)
            if data is not None
        }

    def _parse(self, name: str, text: str) -> tuple[str, Model | ManifestError]:
        """Return the model, cached by its text, or the error that it cannot be loaded with."""
        known = self._parsed.get(name)
        if known is not None and known[0] == text:
            return known
        try:
            return text, parse_manifest(text, f"saved model {name}")
        except ManifestError as error:
            for line in str(error).splitlines():
                log.warning("a saved manifest is left out", extra={"model": name, "reason": line})
            return text, error


def _not_saved(name: str) -> ModelNotFound:
    if not registry.is_on_disk(name):
        return ModelNotFound()
    where = "ships with Headrace or is a file of the models folder"
    return ModelNotFound(f"The model '{name}' {where} and was not saved over HTTP")


def _saved(name: str, created_at: int, version: int, at: bytes, data: bytes) -> SavedModel:
    record = unpack(data)
    return SavedModel(
        internal_name=name,
        version=version,
        text=record["text"],
        saved_by=record["by"],
        created_at=created_at,
        updated_at=int(at),
    )


def _text_of(record: bytes) -> str:
    """Return the manifest; empty for a record of an unknown form."""
    try:
        unpacked = unpack(record)
        return str(unpacked["text"]) if Format.MODEL.knows(unpacked) else ""
    except (ValueError, KeyError, TypeError):
        return ""
