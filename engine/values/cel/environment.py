"""CEL environments: variables, standard extensions and added functions."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from engine.values.cel import functions


@lru_cache(maxsize=64)  # each takes 200 kB and more
def environment(names: tuple[str, ...]) -> Any:
    """Return the environment of expressions over these variables."""
    from cel_expr_python import cel
    from cel_expr_python.ext import (
        ext_bindings,
        ext_encoders,
        ext_math,
        ext_optional,
        ext_strings,
    )

    return cel.NewEnv(
        variables=dict.fromkeys(names, cel.Type.DYN),
        extensions=[
            # Later versions add only `reverse`, which is declared below together with that of
            # lists, because the library accepts one declaration of a name.
            ext_strings.ExtStrings(version=2),
            ext_math.ExtMath(),
            ext_encoders.ExtEncoders(),
            ext_optional.ExtOptional(),
            ext_bindings.ExtBindings(),
        ],
        functions=_declare(cel),
    )


def _declare(cel: Any) -> list[Any]:
    kind = cel.Type
    numbers = (kind.INT, kind.DOUBLE)
    ranges = [(kind.LIST, start, end) for start in numbers for end in numbers]
    scalars = (kind.STRING, kind.INT, kind.UINT, kind.DOUBLE, kind.BOOL, kind.NULL)
    values = [(each,) for each in (kind.LIST, kind.MAP, *scalars)]

    def declare(
        name: str,
        function: Callable[..., Any],
        signatures: Sequence[tuple[Any, ...]],
        return_type: Any,
        is_method: bool = False,
    ) -> Any:
        # The library selects an overload by the types of the values, so no parameter is DYN.
        overloads = [
            cel.Overload(
                f"{name}_{'_'.join(part.name() for part in signature)}{'_method' * is_member}",
                return_type=return_type,
                parameters=list(signature),
                is_member=is_member,
                impl=function,
            )
            for signature in signatures
            for is_member in ((False, True) if is_method else (False,))
        ]
        return cel.FunctionDecl(name, overloads)

    of_list = [(kind.LIST,)]
    return [
        declare("sum", functions.add_up, of_list, kind.DYN, is_method=True),
        declare("sort", functions.sort, of_list, kind.LIST, is_method=True),
        declare("distinct", functions.distinct, of_list, kind.LIST, is_method=True),
        declare("flatten", functions.flatten, of_list, kind.LIST, is_method=True),
        declare("reverse", functions.reverse, [*of_list, (kind.STRING,)], kind.DYN, is_method=True),
        declare("slice", functions.slice_list, ranges, kind.LIST, is_method=True),
        declare("lists.range", functions.count_from_zero, [(each,) for each in numbers], kind.LIST),
        declare("json.parse", functions.parse_json, [(kind.STRING,)], kind.DYN),
        declare("json.stringify", functions.write_json, values, kind.STRING),
    ]
