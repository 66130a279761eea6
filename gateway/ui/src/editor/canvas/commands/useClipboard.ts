/** Cut, copy and paste by the system's clipboard, as JSON. */

import { type RefObject, useEffect } from "react";
import { toast } from "../../../components/Toast";
import { parsePart, partOf, write } from "../../document/parts";
import { announce } from "../announce";
import { counted } from "../card/summary";
import { COMMANDS, place } from "./commands";
import { type CanvasContext, chosenNodes } from "./context";

const TYPING = "input, textarea, select, [contenteditable=true], dialog";

/** Whether the event is for the canvas: nothing else has the focus, and no text is selected. */
function isMeant(event: ClipboardEvent, { region }: CanvasContext): boolean {
  const target = event.target instanceof Element ? event.target : document.body;
  const focused = document.activeElement ?? document.body;
  if (target.closest(TYPING) || focused.closest(TYPING)) return false;
  const isHere = focused === document.body || Boolean(region?.contains(focused));
  return isHere && (event.type === "paste" || !getSelection()?.toString());
}

export function useClipboard(context: RefObject<CanvasContext>): void {
  useEffect(() => {
    const onCopy = (event: ClipboardEvent): void => {
      const ids = new Set(chosenNodes(context.current));
      if (ids.size === 0 || !isMeant(event, context.current)) return;
      event.preventDefault();
      event.clipboardData?.setData("text/plain", write(partOf(context.current.store.document, ids)));
      announce(`${counted(ids.size, "node")} copied`);
      if (event.type === "cut") COMMANDS.erase.run(context.current);
    };
    const onPaste = (event: ClipboardEvent): void => {
      if (!isMeant(event, context.current)) return;
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (!text.trim()) return;
      event.preventDefault();
      paste(context.current, text);
    };
    document.addEventListener("copy", onCopy);
    document.addEventListener("cut", onCopy);
    document.addEventListener("paste", onPaste);
    return () => {
      document.removeEventListener("copy", onCopy);
      document.removeEventListener("cut", onCopy);
      document.removeEventListener("paste", onPaste);
    };
  }, [context]);
}

/** Add the nodes of a text at the pointer. */
function paste(context: CanvasContext, text: string): void {
  const part = parsePart(text);
  if (part) place(context, part, context.flow.screenToFlowPosition(context.pointer() ?? context.middle()));
  else toast("The clipboard has no nodes: copy some here, or the JSON of a workflow.");
}

/** Paste from a menu, which needs the right to read the clipboard. */
export async function pasteFromMenu(context: CanvasContext): Promise<void> {
  try {
    paste(context, await navigator.clipboard.readText());
  } catch {
    toast("This browser pastes by keyboard only: press Ctrl+V over the canvas.");
  }
}
