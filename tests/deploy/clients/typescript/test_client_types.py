"""The types of the TypeScript client, made of the OpenAPI document."""

import re
from pathlib import Path

from deploy.clients.typescript.client_types import write


def test_the_file_has_the_types_that_the_sources_import_and_those_that_they_need(
    tmp_path: Path,
) -> None:
    file = tmp_path / "schemas.ts"

    write(file)

    names = set(re.findall(r"^export type (\w+) =", file.read_text(), re.M))
    assert {"Execution", "RunResult", "Accepted", "Asset", "ErrorCode"} <= names
    assert "ManifestCheck" not in names  # of a route that the client does not call


def test_the_file_has_every_code_that_callers_are_answered(tmp_path: Path) -> None:
    file = tmp_path / "schemas.ts"

    write(file)

    [line] = re.findall(r"^export type ErrorCode = (.*);$", file.read_text(), re.M)
    codes = {each.strip('"') for each in line.split(" | ")}
    assert {"INVALID_INPUTS", "grant_exhausted", "UNAVAILABLE", "REQUEST_TIMEOUT"} <= codes
    assert {"PAYMENT_REQUIRED", "FORBIDDEN", "CONFLICT"}.isdisjoint(codes)  # of none alone


def test_a_file_that_is_right_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "schemas.ts"

    write(file)
    first = file.stat()
    write(file)

    assert file.stat().st_mtime_ns == first.st_mtime_ns
