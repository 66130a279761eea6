import { ReactFlowProvider } from "@xyflow/react";
import { useEffect, useState } from "react";
import type { ApiError } from "../api/client";
import { Failed, Loading } from "../components/States";
import { usePageTitle } from "../shell/Shell";
import { useOpenStore } from "./bodies/open";
import { Asked } from "./canvas/Asked";
import { Canvas } from "./canvas/Canvas";
import { keepFitting } from "./catalogue/fitting";
import { keepChecked } from "./catalogue/keepChecked";
import { EditorContext, type EditorStore, isPanel, useDocument } from "./document/store";
import "./editor.css";
import { SidePanel } from "./panels/SidePanel";
import { TopBar } from "./panels/TopBar";
import { Running } from "./running/Running";
import { ShownRun } from "./running/ShownRun";
import { Conflicts } from "./saving/Conflicts";
import { SaverContext } from "./saving/context";
import { openWorkflow } from "./saving/opening";
import { Recovered } from "./saving/Recovered";
import type { Saver } from "./saving/saver";
import { Sidebar } from "./sidebar/Sidebar";

interface OpenEditor {
  store: EditorStore;
  saver: Saver;
}

/** The editor of one workflow. */
export default function Editor({ slug }: { slug: string }) {
  const [editor, setEditor] = useState<OpenEditor | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    let isWanted = true;
    openWorkflow(slug).then(
      (opened) => {
        if (!isWanted) return opened.saver.release();
        const panel = new URLSearchParams(location.search).get("panel");
        if (isPanel(panel)) opened.store.set({ panel });
        setEditor(opened);
      },
      (reason: ApiError) => isWanted && setError(reason),
    );
    return () => {
      isWanted = false;
    };
  }, [slug]);
  if (editor) return <Opened {...editor} />;
  return (
    <>
      <h1>{slug}</h1>
      {error ? <Failed error={error} /> : <Loading height="30rem" />}
    </>
  );
}

function Opened({ store, saver }: OpenEditor) {
  useEffect(() => follow(store), [store]);
  useEffect(() => saver.follow(), [saver]);
  return (
    <EditorContext value={store}>
      <SaverContext value={saver}>
        <Title />
        <OpenGraph />
        <Conflicts />
      </SaverContext>
    </EditorContext>
  );
}

/** The graph that is open, with a drawing of its own, between the parts that are about the whole workflow. */
function OpenGraph() {
  const open = useOpenStore();
  // The workflow is followed whatever graph is open; its check is that of all graphs inside.
  useEffect(() => (open.path.length > 0 ? keepFitting(open) : undefined), [open]);
  return (
    <ReactFlowProvider key={JSON.stringify(open.path)}>
      <div className="editor">
        <TopBar />
        <Recovered />
        <EditorContext value={open}>
          <Sidebar />
          <Canvas />
          <Asked />
        </EditorContext>
        <SidePanel open={open} />
        <Running />
        <EditorContext value={open}>
          <ShownRun />
        </EditorContext>
      </div>
    </ReactFlowProvider>
  );
}

/** Keep a graph checked and its wires fitting. */
function follow(store: EditorStore): () => void {
  const stops = [keepChecked(store), keepFitting(store)];
  return () => {
    for (const stop of stops) stop();
  };
}

function Title() {
  usePageTitle(useDocument().name);
  return null;
}
