import { type KeyboardEvent, useEffect, useId, useState } from "react";
import { Dialog } from "../../components/Dialog";
import { StatusBadge } from "../../components/StatusBadge";
import { Link, navigate } from "../router";
import { type Found, search } from "./find";
import "./search.css";

const TYPING_MS = 150;

interface Answer {
  text: string;
  found: Found[];
  error?: string;
}

/** Look up a text once nobody has typed for a moment. */
function useAnswer(text: string): Answer | undefined {
  const [answer, setAnswer] = useState<Answer>();
  useEffect(() => {
    if (text === "") return setAnswer(undefined);
    let isOld = false;
    const timer = setTimeout(() => {
      search(text).then(
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

function open({ address, isFile }: Found): void {
  if (isFile) window.open(address, "_blank", "noopener");
  else navigate(address);
}

/** Finds by id or name, and opens a result. */
export default function SearchDialog({ onClose }: { onClose: () => void }) {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [place, setPlace] = useState(0);
  const [isAsked, setAsked] = useState(false);
  const text = typed.trim();
  const answer = useAnswer(text);
  const found = answer?.found ?? [];
  const isCurrent = answer?.text === text;
  const chosen = isCurrent ? found[place] : undefined;
  // Enter before the answer is there opens its first row.
  useEffect(() => {
    if (!isAsked || !chosen) return;
    onClose();
    open(chosen);
  });
  const press = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter") setAsked(text !== "");
    // A field of type search would clear itself instead.
    else if (event.key === "Escape") onClose();
    else if (step && found.length > 0) setPlace((place + step + found.length) % found.length);
    else return;
    event.preventDefault();
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
        aria-activedescendant={chosen ? `${id}-${place}` : undefined}
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
          <Row key={each.kind + each.address + each.name} id={`${id}-${index}`} found={each} isChosen={index === place} onClose={onClose} />
        ))}
      </div>
      <p className="hint" role="status">
        {inWords(text, answer, isCurrent)}
      </p>
    </Dialog>
  );
}

interface RowProps {
  id: string;
  found: Found;
  isChosen: boolean;
  onClose: () => void;
}

function Row({ id, found, isChosen, onClose }: RowProps) {
  return (
    <Link
      id={id}
      role="option"
      aria-selected={isChosen}
      tabIndex={-1}
      href={found.address}
      onClick={(event) => {
        onClose();
        if (!found.isFile) return;
        event.preventDefault();
        open(found);
      }}
    >
      <span className="badge">{found.kind}</span>
      <span className="found-name">{found.name}</span>
      <span className="muted small">{found.detail}</span>
      {found.status && <StatusBadge status={found.status} />}
    </Link>
  );
}

function inWords(text: string, answer: Answer | undefined, isCurrent: boolean): string {
  if (text === "") return "The id of an execution or its start, an X-Request-Id, the webhook-id of a delivery, an asset; the slug or name of a workflow; the name or beginning of a key.";
  if (!isCurrent) return "Searching…";
  if (answer?.error) return answer.error;
  if (answer?.found.length) return "";
  return "Nothing has this id or name.";
}
