import type { GraphEdge, GraphNode, ListedSecret } from "../../../api/types";
import { Button } from "../../../components/Button";
import { connect } from "../../document/edits";
import { useEditor, useStore } from "../../document/store";
import { SourceLink } from "../SourceLink";
import type { Placeholder } from "./placeholders";
import { fittingOf, meant, type Source } from "./sources";

interface Props {
  node: GraphNode;
  placeholders: readonly Placeholder[];
  wires: ReadonlyMap<string, GraphEdge>;
  sources: readonly Source[];
  secrets: readonly ListedSecret[] | undefined;
  takesSecrets: boolean | undefined;
}

/** Each placeholder of a template, and the place that its value comes from. */
export function PlaceholderList({ node, placeholders, wires, sources, secrets, takesSecrets }: Props) {
  const distinct = [...new Map(placeholders.map((each) => [`${each.isSecret} ${each.name}`, each])).values()];
  if (distinct.length === 0) return null;
  return (
    <ul className="placeholders" aria-label="Placeholders">
      {distinct.map(({ name, isSecret }) => {
        const wire = wires.get(name);
        if (isSecret) return <SecretRow key={`secret ${name}`} name={name} secrets={secrets} isAllowed={Boolean(takesSecrets)} />;
        return (
          <li key={name}>
            <code className={wire ? "wired" : "unwired"}>{name}</code>
            {wire ? (
              <span className="hint">
                from <SourceLink edge={wire} />
              </span>
            ) : (
              <WireTo node={node} name={name} sources={sources} />
            )}
          </li>
        );
      })}
    </ul>
  );
}

function SecretRow({ name, secrets, isAllowed }: { name: string; secrets: readonly ListedSecret[] | undefined; isAllowed: boolean }) {
  const isKnown = !secrets || secrets.some((each) => each.name === name);
  const words = !isAllowed ? "secrets are not allowed here" : isKnown ? "a secret of the account" : "unknown";
  return (
    <li>
      <code className={isAllowed && isKnown ? "secret" : "unwired"}>secret.{name}</code>
      <span className={isAllowed && isKnown ? "hint" : "fault"}>{words}</span>
    </li>
  );
}

interface WireToProps {
  node: GraphNode;
  /** Name of the socket. */
  name: string;
  sources: readonly Source[];
  words?: string;
}

/** Wires a socket: with one press where it is sure which output is meant, else by a choice of those that fit. */
export function WireTo({ node, name, sources, words = "not wired" }: WireToProps) {
  const store = useStore();
  const type = useEditor((state) => state.check.sockets[node.id]?.inputs.find((each) => each.name === name)?.type ?? "any");
  const wire = ({ node: source, output }: Source): void =>
    store.edit(connect({ source, sourceHandle: output.name, target: node.id, targetHandle: name }, false));
  const fitting = fittingOf(sources, type);
  const only = meant(fitting, name, type);
  return (
    <>
      <span className="fault">{words}</span>
      {only ? (
        <Button isCompact onClick={() => wire(only)}>
          Wire to {only.node} · {only.output.name}
        </Button>
      ) : fitting.length > 0 ? (
        <select
          className="input compact"
          aria-label={`Wire ${name} to`}
          value=""
          onChange={(event) => {
            const chosen = fitting[Number(event.target.value)];
            if (chosen) wire(chosen);
          }}
        >
          <option value="">Wire to…</option>
          {fitting.map((each, place) => (
            <option key={`${each.node} ${each.output.name}`} value={place}>
              {each.node} · {each.output.name} ({each.output.type})
            </option>
          ))}
        </select>
      ) : null}
    </>
  );
}
