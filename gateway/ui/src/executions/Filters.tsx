import { useEffect, useState } from "react";
import { useResource } from "../api/resource";
import { type Trigger, TRIGGER_LIST } from "../api/triggers";
import type { ApiKey, Model, Page, WorkflowRow } from "../api/types";
import { Button } from "../components/Button";
import { Choice, Labelled } from "../components/Labelled";
import { TimeRange } from "../components/TimeRange";
import { setParameters } from "../shell/router";
import { clearFilters, type FilterName, type Filters, isFiltered, NONE, SOURCES, STATUSES, statusesOf } from "./filters";

const RARE: FilterName[] = ["source", "keyId", "modelId", "errorCode", "version", "httpRequestId", "traceId", "batchId", "triggerId"];

/** The filters of the list, each of them in the address. */
export function FilterBar({ filters }: { filters: Filters }) {
  const workflows = useResource<WorkflowRow[]>("/api/workflows").data ?? [];
  const rare = RARE.filter((name) => filters[name]).length;
  const [isOpen, setOpen] = useState(rare > 0);
  return (
    <search className="execution-filters">
      <Statuses chosen={statusesOf(filters)} />
      <div className="filter-row">
        <FilterChoice label="Workflow" name="workflowSlug" filters={filters} any="All workflows">
          {workflows.map((row) => [row.slug, row.name])}
        </FilterChoice>
        <TimeRange chosen={filters} any="Any time" />
        <Text label="Start of an id" name="q" filters={filters} clean={idLetters} />
        <Text label="Tags" name="tag" filters={filters} clean={(text) => text} />
        <div className="filter-buttons">
          <Button isCompact look="quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {isOpen ? "Fewer filters" : `More filters${rare ? ` (${rare})` : ""}`}
          </Button>
          {isFiltered(filters) && (
            <Button isCompact look="quiet" onClick={clearFilters}>
              Clear
            </Button>
          )}
        </div>
      </div>
      {isOpen && <Rare filters={filters} />}
    </search>
  );
}

function Statuses({ chosen }: { chosen: string[] }) {
  const toggle = (status: string): void => {
    const next = STATUSES.filter((each) => (each === status) !== chosen.includes(each));
    setParameters({ status: next.join() });
  };
  return (
    <fieldset className="status-filter">
      <legend className="hidden-visually">Status</legend>
      {STATUSES.map((status) => (
        <label key={status}>
          <input type="checkbox" checked={chosen.includes(status)} onChange={() => toggle(status)} />
          {status.replace("_", " ")}
        </label>
      ))}
    </fieldset>
  );
}

function Rare({ filters }: { filters: Filters }) {
  const keys = useResource<ApiKey[]>("/api/api-keys").data ?? [];
  const models = useResource<Model[]>("/api/models").data ?? [];
  const triggers = useResource<Page<Trigger>>(TRIGGER_LIST).data?.rows ?? [];
  return (
    <div className="filter-row">
      <FilterChoice label="Source" name="source" filters={filters} any="All sources">
        {Object.entries(SOURCES)}
      </FilterChoice>
      <FilterChoice label="API key" name="keyId" filters={filters} any="All keys">
        {[[NONE, "No key (pages)"], ...keys.map((key): [string, string] => [key.id, `${key.name} (…${key.last4})`])]}
      </FilterChoice>
      <FilterChoice label="Model" name="modelId" filters={filters} any="All models">
        {[[NONE, "No model"], ...models.map((model): [string, string] => [model.internalName, model.name])]}
      </FilterChoice>
      <Text label="Error code" name="errorCode" filters={filters} clean={(text) => text.trim()} />
      <Text label="Version" name="version" filters={filters} clean={(text) => text.replace(/\D|^0+/g, "").slice(0, 9)} />
      <Text label="X-Request-Id" name="httpRequestId" filters={filters} clean={(text) => text.trim().slice(0, 100)} />
      <Text label="Trace" name="traceId" filters={filters} clean={idLetters} fits={isTraceId} />
      <Text label="Batch" name="batchId" filters={filters} clean={idLetters} fits={isId} />
      <FilterChoice label="Trigger" name="triggerId" filters={filters} any="Any or none">
        {triggers.map((row): [string, string] => [row.id, row.name])}
      </FilterChoice>
    </div>
  );
}

interface FieldProps {
  label: string;
  name: FilterName;
  filters: Filters;
}

function FilterChoice({ name, filters, ...choice }: FieldProps & { any: string; children: [string, string][] }) {
  return <Choice {...choice} value={filters[name]} onChange={(value) => setParameters({ [name]: value })} />;
}

const TYPING_MS = 300;

const idLetters = (text: string): string => text.toLowerCase().replace(/[^0-9a-f-]/g, "");
const always = (): boolean => true;
const ID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const isId = (text: string): boolean => ID.test(text);
const isTraceId = (text: string): boolean => /^[0-9a-f]{32}$/.test(text);

/** A text that filters once one stops typing, and fits the filter. */
function Text({ label, name, filters, clean, fits = always }: FieldProps & { clean: (text: string) => string; fits?: (text: string) => boolean }) {
  const value = filters[name];
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value || !(text === "" || fits(text))) return undefined;
    const timer = setTimeout(() => setParameters({ [name]: text }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [name, text, value, fits]);
  return (
    <Labelled label={label}>
      {(id) => (
        <input
          id={id}
          type="search"
          className="input compact"
          spellCheck={false}
          autoComplete="off"
          value={text}
          onChange={(event) => setText(clean(event.target.value))}
        />
      )}
    </Labelled>
  );
}
