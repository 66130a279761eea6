from collections.abc import Iterator

import pytest

from tests.support.acceptance.versions.releases import NoHistory, Release, check_out_previous


@pytest.fixture(scope="session")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """The release before this tree; the test is skipped where the clone has no history."""
    try:
        yield check_out_previous(tmp_path_factory.mktemp("previous") / "code")
    except NoHistory as reason:
        pytest.skip(str(reason))
