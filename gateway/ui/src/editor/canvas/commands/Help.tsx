import { Button } from "../../../components/Button";
import { Dialog } from "../../../components/Dialog";
import { commandOf, type CommandName, keyWords } from "./commands";

type Row = CommandName | [label: string, keys: string];

const SECTIONS: [string, Row[]][] = [
  ["Draw", ["add", ["Add a node here", "Double click"], ["Add a node for a wire", "Drop it on the canvas"], "wire", "unwire", "settings", "rename"]],
  ["Choose", ["selectAll", "selectNone", ["Choose several", "Ctrl+Click"], ["Choose an area", "Shift+Drag"]]],
  ["Go", [["Along the wires", "Arrows"], ["Next and previous node", "Tab, Shift+Tab"], "inside", "outside", ["Actions", "Shift+F10"], "help"]],
  ["Change", ["undo", "redo", "cut", "copy", ["Paste", "Mod+v"], "duplicate", "erase", ["Move", "Shift+Arrows"], "group", "ungroup", "tidy"]],
  ["View", ["zoomIn", "zoomOut", "zoomFit", "zoomFull"]],
];

/** The keys of the canvas. */
export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <div className="key-sheet">
        {SECTIONS.map(([title, rows]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {rows.map((row) => {
                const [label, keys] = typeof row === "string" ? [commandOf(row).label, commandOf(row).keys[0] ?? ""] : row;
                return (
                  <div key={label}>
                    <dt>{label}</dt>
                    <dd>
                      <kbd>{keyWords(keys)}</kbd>
                    </dd>
                  </div>
                );
              })}
            </dl>
          </section>
        ))}
      </div>
      <div className="actions">
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}
