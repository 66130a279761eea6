import type { Trigger, TriggerKind } from "../api/triggers";
import { Choice, Labelled } from "../components/Labelled";
import { useParameter } from "../shell/router";
import { KINDS } from "./words";

const STATES: Record<string, [string, (trigger: Trigger) => boolean]> = {
  enabled: ["Enabled", (trigger) => trigger.enabled],
  paused: ["Paused", (trigger) => !trigger.enabled],
  failing: ["Last one failed", ({ lastOccurrence }) => lastOccurrence?.status === "failed"],
};

/** The filters of the address, as a function that tells whether a trigger fits them. */
export function useTriggerFilters(): { fits: (trigger: Trigger) => boolean } {
  const [sought] = useParameter("q", "");
  const [workflow] = useParameter("workflow", "");
  const [kind] = useParameter("kind", "");
  const [state] = useParameter("state", "");
  const text = sought.trim().toLowerCase();
  const fits = (trigger: Trigger): boolean =>
    `${trigger.name} ${trigger.id}`.toLowerCase().includes(text) &&
    (workflow === "" || trigger.workflowSlug === workflow) &&
    (kind === "" || trigger.kind === kind) &&
    (STATES[state]?.[1](trigger) ?? true);
  return { fits };
}

/** Controls of the filters; each is in the address. */
export function TriggerFilters({ triggers }: { triggers: Trigger[] }) {
  const [sought, setSought] = useParameter("q", "");
  const [workflow, setWorkflow] = useParameter("workflow", "");
  const [kind, setKind] = useParameter("kind", "");
  const [state, setState] = useParameter("state", "");
  const slugs = new Set([...triggers.map((each) => each.workflowSlug), ...(workflow ? [workflow] : [])]);
  return (
    <search className="filter-row">
      <Labelled label="Search triggers">
        {(id) => (
          <input id={id} type="search" className="input compact" value={sought} onChange={(event) => setSought(event.target.value)} />
        )}
      </Labelled>
      <Choice label="Workflow" value={workflow} onChange={setWorkflow} any="All workflows">
        {[...slugs].sort().map((slug) => [slug, slug])}
      </Choice>
      <Choice label="Kind" value={kind} onChange={setKind} any="Both kinds">
        {(Object.keys(KINDS) as TriggerKind[]).map((each) => [each, KINDS[each]])}
      </Choice>
      <Choice label="State" value={state} onChange={setState} any="All states">
        {Object.entries(STATES).map(([each, [name]]) => [each, name])}
      </Choice>
    </search>
  );
}
