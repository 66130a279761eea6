import { ReactFlowProvider } from "@xyflow/react";
import { useEffect, useState } from "react";
import { type ApiError, get } from "../api/client";
import type { Page, WorkflowRow } from "../api/types";
import { Failed, Loading } from "../components/States";
import { usePageTitle } from "../shell/Shell";
import { Canvas } from "./canvas/Canvas";
import { keepChecked } from "./catalogue/check";
import { documentOf, type EditorDocument } from "./document/document";
import { EditorContext, EditorStore, useDocument } from "./document/store";
import "./editor.css";
import { SidePanel } from "./panels/SidePanel";
import { TopBar } from "./panels/TopBar";
import { Saver } from "./saving/saver";
import { Sidebar } from "./sidebar/Sidebar";

interface Opened extends EditorDocument {
  version?: number | null;
  revision?: number;
  savedAt?: string;
}

/** Whether a draft lies beside the workflow: asking for one that is not there would be an error in the console. */
async function hasDraft(slug: string): Promise<boolean> {
  for (let cursor = ""; ; ) {
    const page = await get<Page<WorkflowRow>>(`/api/workflows?limit=200&q=${slug}${cursor}`);
    const found = page.rows.find((row) => row.slug === slug);
    if (found || !page.nextCursor) return Boolean(found?.hasDraft);
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
  }
}

/** Read the draft, or the published document where there is none. */
async function open(slug: string): Promise<EditorStore> {
  const path = `/api/workflows/${slug}`;
  const [published, isDrafted] = await Promise.all([get<Opened>(path), hasDraft(slug)]);
  const draft = isDrafted ? await get<Opened>(`${path}/draft`) : null;
  return new EditorStore(slug, documentOf(draft ?? published), {
    status: "saved",
    revision: draft?.revision ?? 0,
    liveVersion: published.version ?? null,
    savedAt: draft?.savedAt ?? null,
  });
}

/** The editor of one workflow. */
export default function Editor({ slug }: { slug: string }) {
  const [store, setStore] = useState<EditorStore | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    let isOpen = true;
    open(slug).then(
      (opened) => isOpen && setStore(opened),
      (reason: ApiError) => isOpen && setError(reason),
    );
    return () => {
      isOpen = false;
    };
  }, [slug]);
  if (store) return <Opened store={store} />;
  return (
    <>
      <h1>{slug}</h1>
      {error ? <Failed error={error} /> : <Loading height="30rem" />}
    </>
  );
}

function Opened({ store }: { store: EditorStore }) {
  useEffect(() => keepChecked(store), [store]);
  useEffect(() => new Saver(store).follow(), [store]);
  return (
    <EditorContext value={store}>
      <ReactFlowProvider>
        <Title />
        <div className="editor">
          <TopBar />
          <Sidebar />
          <Canvas />
          <SidePanel />
        </div>
      </ReactFlowProvider>
    </EditorContext>
  );
}

function Title() {
  usePageTitle(useDocument().name);
  return null;
}
