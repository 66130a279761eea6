import { useId } from "react";
import { useResource } from "../api/resource";
import type { Workflow } from "../api/types";
import { Cover } from "./Cover";
import { type Need, needsOf, obstacle, type Surroundings } from "../requirements/requirements";

interface Props {
  slug: string;
  name: string;
  description: string;
  tags: string[];
  coverUrl: string | null;
  /** The graph, where it is known already. */
  graph?: Pick<Workflow, "nodes" | "edges">;
  around: Surroundings | undefined;
  isChosen: boolean;
  onChoose: (slug: string) => void;
}

/** A template to begin with. A template that cannot run here is grey, and names the remedy. */
export function TemplateCard({ slug, name, description, tags, coverUrl, graph, around, isChosen, onChoose }: Props) {
  const id = useId();
  const loaded = useResource<Workflow>(graph ? null : `/api/workflows/${slug}`).data;
  const shown = graph ?? loaded;
  const needs = shown && around ? needsOf(shown, around) : undefined;
  const missing = needs && obstacle(needs);
  return (
    <label className={missing ? "template missing" : "template"}>
      <span className="picture graph">
        <Cover url={coverUrl} graph={shown} />
      </span>
      <span className="template-body">
        <span className="template-head">
          <input
            type="radio"
            name="template"
            aria-labelledby={`${id}-name`}
            aria-describedby={`${id}-about ${id}-needs`}
            checked={isChosen}
            disabled={Boolean(missing)}
            onChange={() => onChoose(slug)}
          />
          <strong id={`${id}-name`}>{name}</strong>
        </span>
        <span className="hint" id={`${id}-about`}>
          {description}
        </span>
        <span className="needs small" id={`${id}-needs`}>
          {needs?.map((need) => <NeedLine key={need.name} need={need} />)}
          {needs?.length === 0 && <span className="muted">Needs no model</span>}
        </span>
        {tags.length > 0 && <span className="template-tags small muted">{tags.join(", ")}</span>}
      </span>
    </label>
  );
}

function NeedLine({ need }: { need: Need }) {
  if (need.instead) {
    return (
      <span>
        <span className="dot good" /> {need.instead.name}, as {need.name} is not set up
      </span>
    );
  }
  if (need.reason) {
    return (
      <span>
        <span className="dot bad" /> {need.name}: {need.reason}.
      </span>
    );
  }
  return (
    <span>
      <span className="dot good" /> {need.name}
      {need.isDemo && <span className="muted"> (made-up answers)</span>}
    </span>
  );
}
