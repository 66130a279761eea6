import { type KeyboardEvent, useEffect, useId, useState } from "react";
import { Dialog } from "../components/Dialog";
import { StatusBadge } from "../components/StatusBadge";
import { Link, navigate } from "../shell/router";
import { type Found, find } from "./find";
import "./search.css";

const TYPING_MS = 150;

interface Answer {
  text: string;
  found: Found[];
  error?: string;
}

/** Look up what is typed, once one stops typing. */
function useAnswer(text: string): Answer | undefined {
  const [answer, setAnswer] = useState<Answer>();
  useEffect(() => {
    if (text === "") return setAnswer(undefined);
    let isOld = false;
    const timer = setTimeout(() => {
      find(text).then(
        (found) => isOld || setAnswer({ text, found }),
        (error: Error) => isOld || setAnswer({ text, found: [], error: error.message }),
      );
    }, TYPING_MS);
    return () => {
      isOld = true;
      clearTimeout(timer);
    };
  }, [text]);
  return answer;
}

/** Opens whatever an id or a name belongs to. */
export default function SearchDialog({ onClose }: { onClose: () => void }) {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [place, setPlace] = useState(0);
  const [isAsked, setAsked] = useState(false);
  const text = typed.trim();
  const answer = useAnswer(text);
  const found = answer?.found ?? [];
  const isCurrent = answer?.text === text;
  const open = ({ address, isFile }: Found): void => {
    onClose();
    if (isFile) window.open(address, "_blank", "noopener");
    else navigate(address);
  };
  const first = isCurrent ? found[place] : undefined;
  // Enter before the answer is there opens its first row.
  useEffect(() => {
    if (isAsked && first) open(first);
  });
  const press = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter") {
      event.preventDefault();
      setAsked(text !== "");
    } else if (event.key === "Escape") {
      // A field of type search would clear itself instead.
      event.preventDefault();
      onClose();
    } else if (step && found.length > 0) {
      event.preventDefault();
      setPlace((place + step + found.length) % found.length);
    }
  };
  return (
    <Dialog title="Search" onClose={onClose}>
      <input
        className="input"
        type="search"
        role="combobox"
        aria-label="Id, slug, name or key"
        aria-expanded={found.length > 0}
        aria-controls={`${id}-found`}
        aria-activedescendant={first ? `${id}-${place}` : undefined}
        placeholder="Any id, a workflow, a key"
        autoComplete="off"
        spellCheck={false}
        autoFocus
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setPlace(0);
          setAsked(false);
        }}
        onKeyDown={press}
      />
      <div id={`${id}-found`} role="listbox" aria-label="Found" className="found">
        {found.map((each, index) => (
          <Link
            key={each.kind + each.address + each.name}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === place}
            tabIndex={-1}
            href={each.address}
            onClick={(event) => {
              if (!each.isFile) return onClose();
              event.preventDefault();
              open(each);
            }}
          >
            <span className="badge">{each.kind}</span>
            <span className="found-name">{each.name}</span>
            <span className="muted small">{each.detail}</span>
            {each.status && <StatusBadge status={each.status} />}
          </Link>
        ))}
      </div>
      <p className="hint" role="status">
        {inWords(text, answer, isCurrent)}
      </p>
    </Dialog>
  );
}

function inWords(text: string, answer: Answer | undefined, isCurrent: boolean): string {
  if (text === "") return "The id of an execution or its start, an X-Request-Id, the webhook-id of a delivery, an asset; the slug or name of a workflow; the name or beginning of a key.";
  if (!isCurrent) return "Searching…";
  if (answer?.error) return answer.error;
  if (answer?.found.length) return "";
  return "Nothing has this id or name.";
}
