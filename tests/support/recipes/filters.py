"""A made-up filter of executions, whose column and index the history has."""

from tests.support.recipes.recipe import Addition, Recipe

TESTS = "tests/gateway/runs/test_query_filters.py"

FILTER = Recipe(
    name="filter of executions",
    additions=(
        Addition(
            "engine/executions/filter.py",
            """    retry_of: Annotated[
        str | None,
        FilterField(
            name="retryOf",
            words="that are a retry of this one",
            example="7f9c24e8-3b4d-4a51-9c1e-2f6a8b0d7e35",
            record="retry_of",
            column="retry_of",
        ),
    ] = None
""",
            anchor='            column="http_request_id",\n        ),\n    ] = None\n',
        ),
        Addition(
            "gateway/ui/src/executions/filters.ts",
            '  "retryOf",\n',
            anchor='  "httpRequestId",\n',
        ),
        Addition(
            "gateway/ui/src/executions/Filters.tsx",
            '      <Text label="Retry of" name="retryOf" filters={filters} clean={(x) => x} />\n',
            anchor="clean={(text) => text.trim().slice(0, 100)} />\n",
        ),
        Addition(
            "docs/how-to/call/history.md",
            "| `retryOf` | that are a retry of this one |\n",
            anchor="| Filter | Executions |\n|---|---|\n",
        ),
        Addition(
            TESTS,
            '    Case("retryOf", "first", {"retry_of": "first"}, {"retry_of": ""}),\n',
            anchor="CASES = [\n",
        ),
    ),
    checks=(
        f"{TESTS}::test_every_field_has_a_case",
        f"{TESTS}::test_lists_have_every_filter_for_hot_and_archived_executions[sqlite]",
        f"{TESTS}::test_cancellation_has_every_filter",
        f"{TESTS}::test_the_document_describes_every_filter",
        f"{TESTS}::test_the_page_has_every_filter",
        f"{TESTS}::test_the_guide_names_every_filter",
    ),
)
