import type { CanvasContext, Popup } from "./context";
import { Help } from "./Help";
import { Menu } from "./Menu";
import { QuickAdd } from "./QuickAdd";
import { UnwirePicker, WirePicker } from "./WirePicker";

/** The small window that is open over the canvas. */
export function Popups({ popup, context }: { popup: Popup | null; context: CanvasContext }) {
  switch (popup?.kind) {
    case "add":
      return <QuickAdd context={context} at={popup.at} wire={popup.wire} />;
    case "wire":
      return <WirePicker context={context} at={popup.at} node={popup.node} />;
    case "unwire":
      return <UnwirePicker context={context} at={popup.at} node={popup.node} />;
    case "menu":
      return <Menu context={context} at={popup.at} on={popup.on} />;
    case "help":
      return <Help onClose={() => context.open(null)} />;
    default:
      return null;
  }
}
