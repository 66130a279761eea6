"""All checks of one stack, including checks that need no stack."""

import os
from pathlib import Path

from deploy.admin.checks import (
    Check,
    check_descriptors,
    check_gateway,
    check_local_model,
    check_media,
    check_models,
    check_overcommit,
    check_providers,
    check_store,
    no_redis,
    wrong_redis,
)
from deploy.admin.history import check_history
from deploy.admin.history_database import find_database, named_url
from deploy.admin.queue_check import check_hints
from deploy.admin.schedules_check import check_schedules
from deploy.admin.schema_check import check_schema
from deploy.admin.steps_check import check_steps
from deploy.admin.traces_check import check_traces
from deploy.output.problems import CommandFailed, WrongRedis
from deploy.stack.location import find_stack
from deploy.stack.store_access import open_store


async def examine(data_dir: Path) -> list[Check]:
    """Run every check, whichever of them fail."""
    return [*await _examine_stack(data_dir), check_descriptors()]


async def _examine_stack(data_dir: Path) -> list[Check]:
    try:
        stack = find_stack(data_dir)
        async with open_store(stack.redis_url, stack.settings) as store:
            checks = [*await check_store(store), await check_schema(store)]
            checks += [await check_hints(store), await check_steps(store)]
            checks.append(await check_schedules(store))
            checks.append(check_models(store))
            checks.append(await check_providers(store))
            database, is_named = find_database(data_dir), bool(named_url(data_dir))
            checks.append(await check_history(store, database, is_named=is_named))
        checks.append(check_overcommit(stack))
        checks.append(await check_media({**stack.settings, **os.environ}))
        checks.append(await check_traces({**stack.settings, **os.environ}))
    except WrongRedis as error:
        return [wrong_redis(error.seen, error.fix)]
    except CommandFailed as error:
        return [no_redis(str(error))]
    return [*checks, await check_gateway(stack), await check_local_model(stack)]
