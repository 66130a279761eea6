"""A made-up setting and a made-up transition of the store."""

from tests.support.recipes.recipe import Addition, Recipe

SETTING = Recipe(
    name="setting",
    additions=(
        Addition(
            "engine/settings.py",
            '    is_read_only: bool = False\n    """Answer executions and metrics alone."""\n',
            anchor="    port: int = 8000\n",
        ),
        Addition(
            "gateway/app.py",
            "    if settings.is_read_only:\n        return [*executions.routes, *metrics]\n",
            anchor="    metrics = [] if settings.metrics_port else health.metrics_routes\n",
        ),
        Addition(
            "docs/reference/settings.md",
            "| `HEADRACE_IS_READ_ONLY` | `0` | 1: only executions and metrics are answered. |\n",
            anchor="| Variable | Default | Meaning |\n|---|---|---|\n",
        ),
    ),
    checks=(
        "tests/engine/test_settings.py::test_every_field_can_be_set_by_its_variable",
        "tests/deploy/test_docs.py::test_every_setting_is_documented_with_its_default",
    ),
)

TRANSITION = Recipe(
    name="transition",
    additions=(
        Addition(
            "engine/lua/media/name_asset.lua",
            """#!lua flags=allow-oom
-- Name an asset of an account.
-- Called again it changes nothing.
-- KEYS: asset
-- ARGV: account, name
-- Returns 1, or 0 when the account has no such asset
if redis.call('HGET', KEYS.asset, 'account') ~= ARGV.account then return 0 end
redis.call('HSET', KEYS.asset, 'name', ARGV.name)
return 1
""",
        ),
        Addition(
            "engine/store/media.py",
            '''    async def name(self, account_id: str, asset_id: str, name: str) -> bool:
        """Name an asset. Return whether the account has it."""
        key = keyspace.asset(partition_of(asset_id), asset_id)
        is_named = await self._client.call(
            SCRIPTS["name_asset"], asset=key, account=account_id, name=name
        )
        return bool(is_named)

''',
            anchor="        self._keep_ms = int(retention_days * 86_400_000)\n\n",
        ),
        Addition(
            "tests/support/store/script_scenarios.py",
            '    "name_asset": scenario(ASSET, account="acc", name="Cat"),\n',
            anchor="SCENARIOS = {\n",
        ),
    ),
    checks=(
        "tests/engine/store/redis/test_scripts.py::test_every_script_has_a_scenario_here",
        "tests/engine/store/redis/test_scripts.py::test_a_script_called_again_changes_nothing",
        "tests/engine/store/redis/test_scripts.py::test_a_script_documents_its_arguments_and_answer",
    ),
)
