import { useId } from "react";
import { Button } from "../../../../components/Button";
import { useStore } from "../../../document/store";
import { Sortable } from "../../lists/Sortable";
import { RowReasons } from "../../problems";
import { AuthWidget } from "../../secrets/AuthWidget";
import type { WidgetProps } from "../../widgets/widget";
import { look, useWorkflow, useWorkflows } from "../callee";
import { nameIn } from "../WorkflowWidget";
import { askForTools, type ServerTool, type ServerTools, useListed } from "./serverTools";
import { isWorkflow, namesOf, type Tool, toolsOf, type WorkflowTool, withoutApproval } from "./tools";
import "./tools.css";

interface RowProps<T> extends WidgetProps {
  tool: T;
  /** Path of the tool among the settings. */
  path: string;
  place: number;
  onReplace: (tool: Tool, part?: string) => void;
}

/** The workflows and the tools of servers that a model may call. */
export function ToolsWidget(props: WidgetProps) {
  const { node, name, onChange } = props;
  const listed = useListed();
  const tools = toolsOf(node.data);
  const set = (next: Tool[], part?: string): void => {
    const left = next.flatMap((tool) => namesOf(tool, listed));
    const gone = tools.flatMap((tool) => namesOf(tool, listed)).filter((each) => !left.includes(each));
    onChange(next.length > 0 ? next : undefined, part, gone.length > 0 ? withoutApproval(node, gone) : undefined);
  };
  const replace = (place: number) => (tool: Tool, part?: string): void =>
    set(tools.map((each, at) => (at === place ? tool : each)), part);
  return (
    <>
      {tools.length > 0 && (
        <Sortable rows={tools} nameOf={(tool, place) => nameOfRow(tool, place)} pathOf={(place) => `${name}[${place}]`} onChange={set}>
          {(tool, place) => {
            const row = { ...props, path: `${name}[${place}]`, place, onReplace: replace(place) };
            return isWorkflow(tool) ? <WorkflowRow {...row} tool={tool} /> : <ServerRow {...row} tool={tool} />;
          }}
        </Sortable>
      )}
      {tools.length === 0 && <p className="hint">Without tools, the model answers by itself.</p>}
      <div className="row">
        <Button isCompact onClick={() => set([...tools, { workflow: "" }])}>
          Add a workflow
        </Button>
        <Button isCompact onClick={() => set([...tools, { server: "" }])}>
          Add an MCP server
        </Button>
      </div>
    </>
  );
}

function nameOfRow(tool: Tool, place: number): string {
  const name = isWorkflow(tool) ? tool.workflow : (tool.tool ?? tool.server);
  return `tool ${name || place + 1}`;
}

/** A workflow as a tool, with the description by which the model knows it. */
function WorkflowRow({ node, tool, path, place, onReplace }: RowProps<WorkflowTool>) {
  const store = useStore();
  const rows = useWorkflows();
  const chosen = tool.workflow ?? "";
  const taken = toolsOf(node.data).flatMap((each) => (isWorkflow(each) && each.workflow !== chosen ? [each.workflow] : []));
  const known = rows.filter((row) => row.slug !== store.slug && row.version !== null && (!row.archived || row.slug === chosen) && !taken.includes(row.slug));
  const choose = (slug: string): void => {
    onReplace({ workflow: slug }, `${place}.workflow`);
    const version = rows.find((row) => row.slug === slug)?.version;
    if (version) store.root.amend(look(slug, version));
  };
  return (
    <div className="stack tight" data-field={`${path}.workflow`}>
      <span className="label">Workflow</span>
      <select className="input" aria-label={`Workflow of tool ${place + 1}`} value={chosen} onChange={(event) => choose(event.target.value)}>
        <option value="">Choose a workflow…</option>
        {chosen && !known.some((row) => row.slug === chosen) && <option value={chosen}>{chosen} (not published, or gone)</option>}
        {known.map((row) => (
          <option key={row.slug} value={row.slug}>
            {nameIn(row, known)}
          </option>
        ))}
      </select>
      {known.length === 0 && !chosen && <p className="hint">No other workflow of this account is published.</p>}
      {chosen && <Described slug={chosen} />}
      <RowReasons nodeId={node.id} path={path} />
    </div>
  );
}

function Described({ slug }: { slug: string }) {
  const row = useWorkflow(slug);
  return (
    <div className="row spread small tool-about">
      {row?.description ? <span className="muted">{row.description}</span> : <span className="fault">It has no description, by which the model would know its use.</span>}
      <a href={`/app/editor/${slug}`} target="_blank" rel="noreferrer" aria-label={`Open ${slug} in a new tab`}>
        Open
      </a>
    </div>
  );
}

/** A server of the Model Context Protocol: all of its tools, or one. */
function ServerRow(props: RowProps<ServerTool>) {
  const { node, tool, path, place, onReplace } = props;
  const id = useId();
  const found = useListed()(tool);
  const change = (changes: Partial<ServerTool>, part: string): void => {
    const next = Object.fromEntries(Object.entries({ ...tool, ...changes }).filter(([, value]) => value !== undefined && value !== ""));
    onReplace({ server: "", ...next }, `${place}.${part}`);
  };
  return (
    <div className="stack tight">
      <label className="label" htmlFor={`${id}-server`}>
        MCP server
      </label>
      <div className="field" data-field={`${path}.server`}>
        <input
          id={`${id}-server`}
          className="input"
          inputMode="url"
          placeholder="https://example.com/mcp"
          autoComplete="off"
          spellCheck={false}
          value={tool.server}
          onChange={(event) => change({ server: event.target.value.trim() }, "server")}
        />
      </div>
      <div className="field" role="group" aria-labelledby={`${id}-auth`}>
        <span id={`${id}-auth`} className="label">
          Authorization
        </span>
        <AuthWidget {...props} name={`${path}.auth`} value={tool.auth} onChange={(auth) => change({ auth }, "auth")} />
      </div>
      <div className="field" data-field={`${path}.tool`}>
        <label htmlFor={`${id}-tool`}>Tool</label>
        <input
          id={`${id}-tool`}
          className="input"
          list={`${id}-tools`}
          placeholder="All of its tools"
          autoComplete="off"
          spellCheck={false}
          value={tool.tool ?? ""}
          onChange={(event) => change({ tool: event.target.value || undefined }, "tool")}
        />
        <datalist id={`${id}-tools`}>
          {found?.tools?.map(({ name, title }) => (
            <option key={name} value={name} label={title ?? undefined} />
          ))}
        </datalist>
      </div>
      <div className="row">
        <Button isCompact disabled={!tool.server || found?.isAsking} onClick={() => void askForTools(tool)}>
          {found?.isAsking ? "Asking the server…" : "List its tools"}
        </Button>
      </div>
      {found && <Listed found={found} tool={tool} />}
      <RowReasons nodeId={node.id} path={path} />
    </div>
  );
}

function Listed({ found, tool }: { found: ServerTools; tool: ServerTool }) {
  if (found.fault) {
    return (
      <p className="fault" role="alert">
        {found.fault}
      </p>
    );
  }
  if (!found.tools) return null;
  const shown = found.tools.filter(({ name }) => !tool.tool || name === tool.tool);
  if (shown.length === 0) return <p className="fault">{tool.tool ? "The server has no tool of this name." : "The server has no tools."}</p>;
  return (
    <ul className="server-tools small" tabIndex={0} aria-label={`Tools of ${tool.server}`}>
      {shown.map(({ name, title, description }) => (
        <li key={name}>
          <code>{name}</code> <span className="muted">{description || title}</span>
        </li>
      ))}
    </ul>
  );
}
