import { type KeyboardEvent, useId, useRef, useState } from "react";
import { useResource } from "../../../api/resource";
import type { GraphNode, ListedSecret } from "../../../api/types";
import { connect, type Edit } from "../../document/edits";
import { useDocument } from "../../document/store";
import { CodeArea, replaceRange } from "./CodeArea";
import { Completions, type Suggestion, suggestionsFor } from "./Completions";
import { PlaceholderList } from "./PlaceholderList";
import { openAt, type Placeholder, piecesOf, placeholdersOf, socketNames } from "./placeholders";
import { useSources } from "./sources";

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
  const area = useRef<HTMLTextAreaElement>(null);
  const list = useId();
  const [caret, setCaret] = useState<number | null>(null);
  const [active, setActive] = useState(0);
  const document = useDocument();
  const secrets = useResource<ListedSecret[]>(takesSecrets ? "/api/secrets" : null).data;
  const sources = useSources(node.id);
  const wires = new Map(document.edges.filter((each) => each.target === node.id).map((each) => [each.targetHandle, each]));

  const open = caret === null ? null : openAt(text, caret);
  const suggestions = open
    ? suggestionsFor(open.sought, { names: socketNames(node.data), wires, sources, secrets: secrets ?? [] })
    : [];
  const place = Math.min(active, suggestions.length - 1);

  const follow = (): void => {
    const at = area.current;
    setCaret(at && at.selectionStart === at.selectionEnd ? at.selectionStart : null);
  };
  const complete = (suggestion: Suggestion): void => {
    if (!open || !area.current || caret === null) return;
    const closing = /^[\p{L}\p{N}_.-]*\s*\}\}/u.exec(text.slice(caret))?.[0].length ?? 0;
    replaceRange(area.current, open.from, caret + closing, `{{ ${suggestion.text} }}`);
    const { source } = suggestion;
    if (source) {
      const wire = { source: source.node, sourceHandle: source.output.name, target: node.id, targetHandle: suggestion.text };
      onChange(area.current.value, connect(wire, false));
    }
    setCaret(null);
  };
  const press = (event: KeyboardEvent): void => {
    if (suggestions.length === 0) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = suggestions[place];
    if (step) setActive((place + step + suggestions.length) % suggestions.length);
    else if ((event.key === "Enter" || event.key === "Tab") && chosen) complete(chosen);
    else if (event.key === "Escape") setCaret(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const look = (each: Placeholder): string => {
    if (each.isSecret) return secrets?.some((secret) => secret.name === each.name) ? "secret" : "unwired";
    return wires.has(each.name) ? "wired" : "unwired";
  };

  return (
    <div className="template-editor">
      <CodeArea
        id={props.id}
        aria-label={props.label}
        aria-describedby={props.describedBy}
        aria-invalid={props.isInvalid || undefined}
        aria-autocomplete="list"
        aria-controls={suggestions.length > 0 ? list : undefined}
        aria-activedescendant={suggestions.length > 0 ? `${list}-${place}` : undefined}
        areaRef={area}
        rows={rows}
        placeholder={props.placeholder}
        value={text}
        pieces={piecesOf(text, look)}
        onChange={(to) => {
          onChange(to);
          setActive(0);
          follow();
        }}
        onSelect={follow}
        onBlur={() => setCaret(null)}
        onKeyDown={press}
      />
      {suggestions.length > 0 && <Completions id={list} suggestions={suggestions} active={place} onChoose={complete} />}
      <PlaceholderList node={node} placeholders={placeholdersOf(text)} wires={wires} sources={sources} secrets={secrets} takesSecrets={takesSecrets} />
    </div>
  );
}
