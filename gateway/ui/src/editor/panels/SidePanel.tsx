import type { ComponentType } from "react";
import { Button } from "../../components/Button";
import { EditorContext, type EditorStore, type PanelName, useEditor, useStore } from "../document/store";
import { DraftRunPanel } from "../running/DraftRunPanel";
import { SelectedNodeActions } from "../running/NodeActions";
import { SettingsPanel } from "../settings/SettingsPanel";
import { TestsPanel } from "../tests/TestsPanel";
import { DeployPanel } from "./DeployPanel";
import { ProblemsPanel } from "./ProblemsPanel";
import { VersionsPanel } from "./VersionsPanel";
import { WorkflowPanel } from "./WorkflowPanel";

const PANELS: Partial<Record<PanelName, [string, ComponentType]>> = {
  settings: ["Settings", Settings],
  problems: ["Checklist", ProblemsPanel],
  workflow: ["Workflow", WorkflowPanel],
  versions: ["Versions", VersionsPanel],
  tests: ["Tests", TestsPanel],
  deploy: ["Deploy", DeployPanel],
  run: ["Run", DraftRunPanel],
};

/** The panel beside the canvas. Settings are those of the open graph, all else is about the workflow. */
export function SidePanel({ open }: { open: EditorStore }) {
  const store = useStore();
  const panel = useEditor((state) => state.panel);
  const [title, Content] = (panel && PANELS[panel]) || [];
  if (!title || !Content) return null;
  return (
    <section className="side-panel" aria-label={title}>
      <Button
        look="quiet"
        isCompact
        className="close"
        aria-label={panel === "run" ? "Fold away" : "Close"}
        title={panel === "run" ? "Fold away" : undefined}
        onClick={() => store.set({ panel: null })}
      >
        {panel === "run" ? "»" : "×"}
      </Button>
      <EditorContext value={panel === "settings" ? open : store}>
        <Content />
      </EditorContext>
    </section>
  );
}

function Settings() {
  return (
    <>
      <SettingsPanel />
      <SelectedNodeActions />
    </>
  );
}
