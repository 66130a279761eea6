import { Button } from "../../components/Button";
import { type PanelName, useDocument, useEditor, useStore } from "../document/store";
import { SaveState } from "../saving/SaveState";

const PANELS: [PanelName, string][] = [
  ["run", "Run"],
  ["deploy", "Deploy"],
  ["versions", "Versions"],
];

/** The workflow's name, its state and the actions on the whole of it. */
export function TopBar() {
  const store = useStore();
  const { name } = useDocument();
  const canUndo = useEditor((state) => state.history.past.length > 0);
  const canRedo = useEditor((state) => state.history.future.length > 0);
  const problems = useEditor((state) => state.check.problems.length);
  const panel = useEditor((state) => state.panel);
  const toggle = (to: PanelName): void => store.set({ panel: panel === to ? null : to });
  return (
    <div className="editor-bar">
      <h1>{name}</h1>
      <SaveState />
      <Button look="quiet" isCompact onClick={store.undo} disabled={!canUndo}>
        Undo
      </Button>
      <Button look="quiet" isCompact onClick={store.redo} disabled={!canRedo}>
        Redo
      </Button>
      <span className="spring" />
      <Button look="quiet" isCompact aria-pressed={panel === "problems"} onClick={() => toggle("problems")}>
        {problems === 0 ? "No problems" : problems === 1 ? "1 problem" : `${problems} problems`}
      </Button>
      {PANELS.map(([to, label]) => (
        <Button key={to} isCompact aria-pressed={panel === to} onClick={() => toggle(to)}>
          {label}
        </Button>
      ))}
    </div>
  );
}
