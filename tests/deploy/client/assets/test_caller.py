"""Assets by command, on the gateway's application in this process."""

from pathlib import Path

import pytest

from deploy.client.assets.caller import AssetCaller
from deploy.output.problems import ApiRefused, CommandFailed
from engine.store import Account
from tests.deploy.client.conftest import OpenApi
from tests.support.media.files import png, wav


async def test_files_are_stored_listed_saved_and_deleted(
    account: Account, opened: OpenApi, tmp_path: Path
) -> None:
    files = [tmp_path / "cat.png", tmp_path / "note.wav"]
    for file, data in zip(files, (png(4, 3), wav()), strict=True):
        file.write_bytes(data)
    (tmp_path / "saved").mkdir()

    async with opened(account_id=account.id) as api:
        caller = AssetCaller(api)
        cat, note = await caller.upload(files)
        listed = await caller.assets(10)
        in_folder = await caller.save(note["id"], tmp_path / "saved")
        named = await caller.save(cat["id"], tmp_path / "again.png")
        await caller.delete(cat["id"])
        with pytest.raises(ApiRefused):
            await caller.asset(cat["id"])

    assert (cat["contentType"], note["contentType"]) == ("image/png", "audio/wav")
    assert [each["id"] for each in listed] == [note["id"], cat["id"]]
    assert in_folder == tmp_path / "saved" / f"{note['id']}.wav"
    assert (in_folder.read_bytes(), named.read_bytes()) == (wav(), png(4, 3))


async def test_nothing_is_saved_where_there_is_no_folder(
    account: Account, opened: OpenApi, tmp_path: Path
) -> None:
    (tmp_path / "cat.png").write_bytes(png())

    async with opened(account_id=account.id) as api:
        caller = AssetCaller(api)
        [cat] = await caller.upload([tmp_path / "cat.png"])
        with pytest.raises(CommandFailed, match="There is no folder"):
            await caller.save(cat["id"], tmp_path / "missing" / "cat.png")


async def test_a_file_that_is_refused_is_named(
    account: Account, opened: OpenApi, tmp_path: Path
) -> None:
    files = [tmp_path / "cat.png", tmp_path / "amounts.csv"]
    for file, data in zip(files, (png(), "Café;1".encode("latin-1")), strict=True):
        file.write_bytes(data)

    async with opened(account_id=account.id) as api:
        with pytest.raises(ApiRefused, match=r"^amounts\.csv: The text is not UTF-8"):
            await AssetCaller(api).upload(files)
