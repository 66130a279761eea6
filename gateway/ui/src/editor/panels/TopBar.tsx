import { useState } from "react";
import { Button } from "../../components/Button";
import { wordFor } from "../../requirements/Unmet";
import { useMissing } from "../catalogue/missing";
import { type PanelName, useEditor, useStore } from "../document/store";
import { PublishDialog } from "../publishing/PublishDialog";
import { StateBadge } from "../publishing/StateBadge";
import { countOf } from "../publishing/state";
import { SaveState } from "../saving/SaveState";
import { Estimate } from "./Estimate";
import "./panels.css";
import { WorkflowName } from "./WorkflowName";

const PANELS: [PanelName, string][] = [
  ["workflow", "Workflow"],
  ["versions", "Versions"],
  ["tests", "Tests"],
  ["deploy", "Deploy"],
];

/** The workflow's name, its states and the actions on the whole of it. */
export function TopBar() {
  const store = useStore();
  const canUndo = useEditor((state) => state.history.past.length > 0);
  const canRedo = useEditor((state) => state.history.future.length > 0);
  const problems = useEditor((state) => state.check.problems.length);
  const missing = useMissing();
  const panel = useEditor((state) => state.panel);
  const [isPublishing, setPublishing] = useState(false);
  const toggle = (to: PanelName): void => store.set({ panel: panel === to ? null : to });
  return (
    <div className="editor-bar">
      <WorkflowName />
      <StateBadge />
      <SaveState />
      <span className="spring" />
      <div className="bar-actions">
        <div className="bar-group">
          <Button look="quiet" isCompact onClick={store.undo} disabled={!canUndo}>
            Undo
          </Button>
          <Button look="quiet" isCompact onClick={store.redo} disabled={!canRedo}>
            Redo
          </Button>
        </div>
        <div className="bar-group">
          <Button look="quiet" isCompact className={problems === 0 && missing.length > 0 ? "bar-problems missing" : "bar-problems"} aria-pressed={panel === "problems"} onClick={() => toggle("problems")}>
            {problems > 0 ? countOf(problems, "problem") : missing.length > 0 ? wordFor(missing) : "No problems"}
          </Button>
          {PANELS.map(([to, label]) => (
            <Button key={to} look="quiet" isCompact aria-pressed={panel === to} onClick={() => toggle(to)}>
              {label}
            </Button>
          ))}
        </div>
        <div className="bar-group">
          <Estimate />
          <Button isCompact className="bar-run" aria-pressed={panel === "run"} onClick={() => toggle("run")}>
            Run
          </Button>
          <Button look="primary" isCompact className="bar-publish" onClick={() => setPublishing(true)}>
            Publish
          </Button>
        </div>
      </div>
      {isPublishing && <PublishDialog onClose={() => setPublishing(false)} />}
    </div>
  );
}
