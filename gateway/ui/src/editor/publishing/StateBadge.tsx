import { countOf, type PublishState, useStanding } from "./state";

const LOOKS: Record<PublishState, [string, string]> = {
  unchanged: ["●", "good"],
  changed: ["◐", "active"],
  problems: ["▲", "bad"],
  publishing: ["◌", "active"],
  published: ["✓", "good"],
  "never-published": ["○", ""],
};

/** One of six states at a glance: by sign, word and colour. */
export function StateBadge() {
  const { state, changes, problems, liveVersion } = useStanding();
  const words: Record<PublishState, string> = {
    unchanged: `Unchanged · version ${liveVersion}`,
    changed: `Changed · ${changes} since version ${liveVersion}`,
    problems: `Problems · ${problems}`,
    publishing: "Publishing",
    published: `Published · version ${liveVersion}`,
    "never-published": "Never published",
  };
  const [sign, look] = LOOKS[state];
  const title =
    state === "changed" ? `Callers run version ${liveVersion}; ${countOf(changes, "change")} in the draft` : undefined;
  return (
    <span className={`badge publish-state ${look}`} data-state={state} role="status" aria-label="State of the workflow" title={title}>
      <span className="sign" aria-hidden="true">
        {sign}
      </span>
      {words[state]}
    </span>
  );
}
