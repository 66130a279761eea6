import { useResource } from "../../../api/resource";
import type { GraphNode, ListedSecret } from "../../../api/types";
import { connect, type Edit } from "../../document/edits";
import { useDocument } from "../../document/store";
import { CodeArea, replaceRange } from "./CodeArea";
import { Completions, type Suggestion, suggestionsFor } from "./Completions";
import { PlaceholderList } from "./PlaceholderList";
import { openAt, type Placeholder, piecesOf, placeholdersOf, socketNames } from "./placeholders";
import { useSources } from "./sources";
import { useCompletion } from "./useCompletion";

interface Props {
  node: GraphNode;
  text: string;
  onChange: (text: string, also?: Edit) => void;
  id?: string;
  label?: string;
  describedBy?: string;
  isInvalid?: boolean;
  takesSecrets?: boolean;
  rows?: number;
  placeholder?: string;
}

/** A text with placeholders: they are marked, completed, and wired from here. */
export function TemplateEditor(props: Props) {
  const { node, text, onChange, takesSecrets, rows = 3 } = props;
  const document = useDocument();
  const secrets = useResource<ListedSecret[]>(takesSecrets ? "/api/secrets" : null).data;
  const sources = useSources(node.id);
  const wires = new Map(document.edges.filter((each) => each.target === node.id).map((each) => [each.targetHandle, each]));

  const { list, suggestions, active, choose, follow, begin, areaProps } = useCompletion({
    text,
    openAt,
    suggest: (sought) => suggestionsFor(sought, { names: socketNames(node.data), wires, sources, secrets: secrets ?? [] }),
    complete: (area, from, caret, suggestion: Suggestion) => {
      const closing = /^[\p{L}\p{N}_.-]*\s*\}\}/u.exec(text.slice(caret))?.[0].length ?? 0;
      replaceRange(area, from, caret + closing, `{{ ${suggestion.text} }}`);
      const { source } = suggestion;
      if (source) {
        const wire = { source: source.node, sourceHandle: source.output.name, target: node.id, targetHandle: suggestion.text };
        onChange(area.value, connect(wire, false));
      }
    },
  });
  const look = (each: Placeholder): string => {
    if (each.isSecret) return secrets?.some((secret) => secret.name === each.name) ? "secret" : "unwired";
    return wires.has(each.name) ? "wired" : "unwired";
  };

  return (
    <div className="template-editor">
      <CodeArea
        {...areaProps}
        id={props.id}
        aria-label={props.label}
        aria-describedby={props.describedBy}
        aria-invalid={props.isInvalid || undefined}
        rows={rows}
        placeholder={props.placeholder}
        value={text}
        pieces={piecesOf(text, look)}
        onChange={(to) => {
          onChange(to);
          begin();
        }}
        onSelect={follow}
      />
      {suggestions.length > 0 && <Completions id={list} suggestions={suggestions} active={active} onChoose={choose} />}
      <PlaceholderList node={node} placeholders={placeholdersOf(text)} wires={wires} sources={sources} secrets={secrets} takesSecrets={takesSecrets} />
    </div>
  );
}
