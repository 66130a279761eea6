import { useReactFlow } from "@xyflow/react";
import { type PointerEvent, type RefObject, useMemo, useRef, useState } from "react";
import { useCatalogue } from "../../catalogue/catalogue";
import { useModels } from "../../catalogue/models";
import type { Point } from "../../document/document";
import { useStore } from "../../document/store";
import type { FlowEdge, FlowNode } from "../flow";
import type { CanvasContext, Popup } from "./context";
import { useClipboard } from "./useClipboard";
import { useShortcuts } from "./useShortcuts";

/** Handlers of the canvas that keep the place of the pointer. */
interface Pointing {
  onPointerMove: (event: PointerEvent) => void;
  onPointerLeave: () => void;
}

/** The parts that commands act on, with their keys and the clipboard, and the small window that is open. */
export function useCanvasContext(region: RefObject<HTMLElement | null>): {
  context: CanvasContext;
  popup: Popup | null;
  pointing: Pointing;
} {
  const store = useStore();
  const catalogue = useCatalogue();
  const models = useModels();
  const flow = useReactFlow<FlowNode, FlowEdge>();
  const pointer = useRef<Point | null>(null);
  const [popup, open] = useState<Popup | null>(null);
  const context = useMemo(
    (): CanvasContext => ({
      store,
      catalogue,
      models,
      flow,
      get region() {
        return region.current;
      },
      pointer: () => pointer.current,
      middle: () => middleOf(region.current),
      open,
    }),
    [store, catalogue, models, flow, region],
  );
  const latest = useRef(context);
  latest.current = context;
  useShortcuts(latest);
  useClipboard(latest);
  const pointing = {
    onPointerMove: (event: PointerEvent): void => {
      pointer.current = { x: event.clientX, y: event.clientY };
    },
    onPointerLeave: (): void => {
      pointer.current = null;
    },
  };
  return { context, popup, pointing };
}

function middleOf(region: HTMLElement | null): Point {
  const { left = 0, top = 0, width = 0, height = 0 } = region?.getBoundingClientRect() ?? {};
  return { x: left + width / 2, y: top + height / 3 };
}
