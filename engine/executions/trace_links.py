"""Links to traces, by the operator's template."""

from msgspec import Struct

from engine.settings import PREFIX, SettingError

VARIABLE = PREFIX + "TRACE_URL"
PLACE = "{traceId}"


class TraceLinks(Struct, frozen=True):
    """Makes the URL of a trace."""

    template: str = ""
    """URL with `PLACE`; empty: traces have no URL."""

    @classmethod
    def parse(cls, setting: str) -> "TraceLinks":
        """Return the links of the setting. Raises SettingError."""
        template = setting.strip()
        if template and not (template.startswith(("http://", "https://")) and PLACE in template):
            raise SettingError(
                f"{VARIABLE}: use a URL with {PLACE}, such as https://traces.example/trace/{PLACE}"
            )
        return cls(template)

    def url_of(self, trace_id: str | None) -> str | None:
        """Return the URL of a trace; None without a trace or a template."""
        return self.template.replace(PLACE, trace_id) if self.template and trace_id else None


NO_LINKS = TraceLinks()
