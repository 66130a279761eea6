import type { KeyboardEvent } from "react";
import type { Point } from "../../document/document";
import { commandOf, type CommandName, keyWords } from "./commands";
import type { CanvasContext } from "./context";
import { Floating } from "./Floating";
import { pasteFromMenu } from "./useClipboard";

type Entry = CommandName | "paste" | "-";

const ENTRIES: Record<"node" | "wire" | "canvas", Entry[]> = {
  node: [
    "settings",
    "inside",
    "rename",
    "wire",
    "unwire",
    "-",
    "cut",
    "copy",
    "duplicate",
    "erase",
    "-",
    "group",
    "ungroup",
    "alignLeft",
    "alignCentre",
    "alignRight",
    "alignTop",
    "alignMiddle",
    "alignBottom",
    "distributeAcross",
    "distributeDown",
    "tidy",
  ],
  wire: ["erase"],
  canvas: ["add", "paste", "selectAll", "outside", "-", "tidy", "zoomFit", "zoomFull", "-", "help"],
};

interface Props {
  context: CanvasContext;
  at: Point;
  on: keyof typeof ENTRIES;
}

/** Commands on the chosen nodes, a wire or the canvas. */
export function Menu({ context, at, on }: Props) {
  const close = (): void => context.open(null);
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const items = [...event.currentTarget.querySelectorAll<HTMLElement>("[role=menuitem]")];
    const place = items.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    items.at(to % items.length)?.focus();
  };
  return (
    <Floating at={at} onClose={close} className="menu" role="menu" aria-label={`Actions on the ${on}`} onKeyDown={onKeyDown}>
      {shownEntries(context, on).map((entry, place) =>
        entry === "-" ? (
          <hr key={place} />
        ) : (
          <Item key={entry} entry={entry} context={context} />
        ),
      )}
    </Floating>
  );
}

/** The entries that apply, without lines at an end or beside another one. */
function shownEntries(context: CanvasContext, on: Props["on"]): Entry[] {
  const applying = ENTRIES[on].filter(
    (entry) => entry === "-" || entry === "paste" || (commandOf(entry).applies?.(context) ?? true),
  );
  return applying.filter((entry, place) => {
    const before = applying[place - 1];
    return entry !== "-" || (before !== undefined && before !== "-" && place < applying.length - 1);
  });
}

function Item({ entry, context }: { entry: Exclude<Entry, "-">; context: CanvasContext }) {
  const command = entry === "paste" ? null : commandOf(entry);
  const [key = ""] = command?.keys ?? ["Mod+v"];
  const run = (): void => {
    context.open(null);
    // The focus is back on the canvas by then, where the command belongs.
    setTimeout(() => (command ? command.run(context) : void pasteFromMenu(context)));
  };
  return (
    <button type="button" role="menuitem" tabIndex={-1} onClick={run}>
      {command?.label ?? "Paste"}
      {key && <kbd>{keyWords(key)}</kbd>}
    </button>
  );
}
