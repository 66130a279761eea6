import { Button } from "../../../../components/Button";
import { setData } from "../../../document/edits";
import { useStore } from "../../../document/store";
import { attributes } from "../../widgets/simple";
import { inWords, type WidgetProps } from "../../widgets/widget";
import { askForTools, type RemoteTool, type ServerTool, useListed } from "../tools/serverTools";
import "../tools/tools.css";
import { withTool } from "./arguments";

/** The tool that is called: typed, or chosen among those that the server lists. Its schema makes the sockets. */
export function ToolWidget(props: WidgetProps) {
  const { node, value, id } = props;
  const store = useStore();
  const server: ServerTool = { server: inWords(node.data.server), auth: node.data.auth };
  const found = useListed()(server);
  const name = inWords(value);
  const known = found?.tools?.find((tool) => tool.name === name);
  const choose = (to: string): void => {
    const tool = found?.tools?.find((each) => each.name === to);
    store.edit(setData(node.id, withTool(node.data, to, tool)), `${node.id}.tool`);
  };
  return (
    <div className="stack tight">
      <input
        {...attributes(props)}
        className="input"
        list={`${id}-tools`}
        autoComplete="off"
        spellCheck={false}
        value={name}
        onChange={(event) => choose(event.target.value)}
      />
      <datalist id={`${id}-tools`}>
        {found?.tools?.map((tool) => (
          <option key={tool.name} value={tool.name} label={tool.title ?? undefined} />
        ))}
      </datalist>
      <div className="row">
        <Button isCompact disabled={!server.server || found?.isAsking} onClick={() => void askForTools(server)}>
          {found?.isAsking ? "Asking the server…" : "List its tools"}
        </Button>
      </div>
      {found?.fault && (
        <p className="fault" role="alert">
          {found.fault}
        </p>
      )}
      {known && <p className="hint">{known.description || known.title}</p>}
      {found?.tools && !known && <Choices tools={found.tools} name={name} onChoose={choose} />}
    </div>
  );
}

function Choices({ tools, name, onChoose }: { tools: RemoteTool[]; name: string; onChoose: (name: string) => void }) {
  if (tools.length === 0) return <p className="fault">The server has no tools.</p>;
  return (
    <>
      {name && <p className="fault">The server has no tool of this name.</p>}
      <ul className="server-tools small" aria-label="Tools of the server">
        {tools.map((tool) => (
          <li key={tool.name} className="row">
            <Button isCompact look="quiet" onClick={() => onChoose(tool.name)}>
              {tool.name}
            </Button>
            <span className="muted">{tool.description || tool.title}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
