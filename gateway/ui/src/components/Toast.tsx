import { useSyncExternalStore } from "react";
import { Button } from "./Button";

interface Message {
  id: number;
  text: string;
  action?: { label: string; run: () => void };
}

const SECONDS = 8;
let messages: Message[] = [];
let next = 1;
const watchers = new Set<() => void>();

function change(to: Message[]): void {
  messages = to;
  for (const notify of watchers) notify();
}

/** Show a message for a while, with an action that takes it back where there is one. */
export function toast(text: string, action?: Message["action"]): void {
  const id = next++;
  change([...messages, action ? { id, text, action } : { id, text }]);
  setTimeout(() => change(messages.filter((each) => each.id !== id)), SECONDS * 1_000);
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (notify) => (watchers.add(notify), () => watchers.delete(notify)),
    () => messages,
  );
  return (
    <div className="toasts" role="status">
      {shown.map((each) => (
        <div className="toast" key={each.id}>
          <span>{each.text}</span>
          {each.action && (
            <Button
              isCompact
              onClick={() => {
                each.action?.run();
                change(messages.filter((other) => other !== each));
              }}
            >
              {each.action.label}
            </Button>
          )}
        </div>
      ))}
    </div>
  );
}
