import { useReactFlow, useStore as useFlowStore, ViewportPortal } from "@xyflow/react";
import { type KeyboardEvent, memo, type PointerEvent, useRef, useState } from "react";
import { type Group, groupsOf, type Point } from "../document/document";
import { retitle } from "../document/groups";
import { useDocument, useEditor, useStore } from "../document/store";
import type { Drawing } from "./useDrawing";

const PADDING = 24;
const TITLE = 32;

type Moves = Pick<Drawing, "shift" | "endDrag">;

/** Frames around the groups, behind their nodes. */
export const Groups = memo(function Groups({ shift, endDrag }: Moves) {
  const groups = groupsOf(useDocument());
  if (groups.length === 0) return null;
  return (
    <ViewportPortal>
      {groups.map((group) => (
        <Frame key={group.id} group={group} shift={shift} endDrag={endDrag} />
      ))}
    </ViewportPortal>
  );
});

function Frame({ group, shift, endDrag }: { group: Group } & Moves) {
  const store = useStore();
  const flow = useReactFlow();
  const frame = useFrame(group.nodes);
  const from = useRef<Point | null>(null);
  if (!frame) return null;
  const [x, y, width, height] = frame;
  const moved = (event: PointerEvent): Point => {
    const zoom = flow.getZoom();
    const start = from.current ?? { x: event.clientX, y: event.clientY };
    return { x: (event.clientX - start.x) / zoom, y: (event.clientY - start.y) / zoom };
  };
  const onPointerDown = (event: PointerEvent<HTMLElement>): void => {
    if (event.button !== 0 || (event.target as Element).closest("input")) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    from.current = { x: event.clientX, y: event.clientY };
    store.select(group.nodes);
  };
  const onPointerUp = (): void => {
    if (from.current) endDrag(group.nodes);
    from.current = null;
  };
  return (
    <section
      className="group-frame nopan nodrag"
      aria-label={`Group ${group.title}`}
      style={{ transform: `translate(${x}px, ${y}px)`, width, height }}
      onPointerDown={onPointerDown}
      onPointerMove={(event) => from.current && shift(group.nodes, moved(event))}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
    >
      <GroupTitle group={group} />
    </section>
  );
}

/** Place and size of a frame, as its nodes are drawn now; null until they have sizes. */
function useFrame(ids: readonly string[]): [number, number, number, number] | null {
  return useFlowStore(
    ({ nodeLookup }) => {
      const nodes = ids.flatMap((id) => nodeLookup.get(id) ?? []);
      const measured = nodes.filter((node) => node.measured.width);
      if (measured.length === 0) return null;
      const at = (node: (typeof nodes)[number]): Point => node.internals.positionAbsolute;
      const left = Math.min(...measured.map((node) => at(node).x)) - PADDING;
      const top = Math.min(...measured.map((node) => at(node).y)) - PADDING - TITLE;
      const right = Math.max(...measured.map((node) => at(node).x + (node.measured.width ?? 0))) + PADDING;
      const bottom = Math.max(...measured.map((node) => at(node).y + (node.measured.height ?? 0))) + PADDING;
      return [left, top, right - left, bottom - top];
    },
    (one, other) => one === other || Boolean(one && other && one.every((value, place) => value === other[place])),
  );
}

function GroupTitle({ group }: { group: Group }) {
  const store = useStore();
  const key = `group ${group.id}`;
  const isEdited = useEditor((state) => state.edited === key);
  if (isEdited) return <TitleField group={group} />;
  return (
    <h3 title="Drag to move, double click to rename" onDoubleClick={(event) => {
      event.stopPropagation();
      store.set({ edited: key });
    }}>
      {group.title}
    </h3>
  );
}

function TitleField({ group }: { group: Group }) {
  const store = useStore();
  const [title, setTitle] = useState(group.title);
  const leave = (): void => {
    store.set({ edited: null });
    store.edit(retitle(group.id, title.trim() || group.title));
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    event.stopPropagation();
    if (event.key === "Escape") setTitle(group.title);
    if (event.key === "Escape" || event.key === "Enter") event.currentTarget.blur();
  };
  return (
    <input
      aria-label="Title of the group"
      value={title}
      maxLength={100}
      ref={(field) => {
        if (field && document.activeElement !== field) {
          field.focus();
          field.select();
        }
      }}
      onChange={(event) => setTitle(event.target.value)}
      onBlur={leave}
      onKeyDown={onKeyDown}
    />
  );
}
