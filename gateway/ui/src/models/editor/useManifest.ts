import { useEffect, useMemo, useRef, useState } from "react";
import { ApiError, call } from "../../api/client";
import { MODELS } from "../../api/paths";
import type { ManifestCheck, ManifestProblem } from "../../api/types";
import { begin, type History, record, redo, undo } from "../../editor/document/history";
import { toast } from "../../components/Toast";
import { parseToml, pathName, type Step, type Table, withMember } from "./toml";

const CHECK_MS = 350;
/** Changes of one member within this time are undone together. */
const TOGETHER_MS = 1_000;
const KEPT = "headrace-manifest ";

export interface Manifest {
  text: string;
  /** The last text that was TOML, as a table. */
  table: Table;
  isToml: boolean;
  problems: readonly ManifestProblem[];
  /** The server has checked this very text. */
  isChecked: boolean;
  checkError: string;
  /** Place of the last change that came from the form. */
  changedByForm: { turn: number } | null;
  write: (text: string) => void;
  change: (path: readonly Step[], value: unknown) => void;
  undo: (() => void) | undefined;
  redo: (() => void) | undefined;
  reset: (text: string) => void;
  show: (problems: ManifestProblem[]) => void;
}

/** The text of a manifest with its steps, its table and the problems that the server finds. */
export function useManifest(name: string | null, saved: string): Manifest {
  const key = KEPT + (name ?? "");
  const [history, setHistory] = useState<History<string>>(() => begin(name === null ? saved : (recall(key) ?? saved)));
  const text = history.present;
  const last = useRef({ part: "", at: 0 });
  const table = useTable(text);
  const [turn, setTurn] = useState(0);
  const checked = useCheck(text);
  useEffect(() => keep(name === null ? null : key, text, saved), [name, key, text, saved]);
  const step = (next: string, part: string): void => {
    const now = Date.now();
    const isSame = last.current.part === part && now - last.current.at < TOGETHER_MS;
    last.current = { part, at: now };
    setHistory((before) => record(before, next, isSame && before.past.length > 0));
  };
  return {
    text,
    ...table,
    ...checked,
    changedByForm: turn > 0 ? { turn } : null,
    write: (next) => step(next, "text"),
    change: (path, value) => {
      try {
        step(withMember(text, path, value), pathName(path));
        setTurn((now) => now + 1);
      } catch {
        toast("The form cannot make this change; make it in the TOML.");
      }
    },
    undo: history.past.length > 0 ? () => setHistory(undo) : undefined,
    redo: history.future.length > 0 ? () => setHistory(redo) : undefined,
    reset: (next) => step(next, "reset"),
  };
}

function useTable(text: string): Pick<Manifest, "table" | "isToml"> {
  const valid = useRef<Table>({});
  return useMemo(() => {
    const table = parseToml(text);
    if (table) valid.current = table;
    return { table: valid.current, isToml: table !== null };
  }, [text]);
}

interface Check {
  text: string;
  problems: ManifestProblem[];
  error: string;
}

/** Let the server check a text a moment after its last change. */
function useCheck(text: string): Pick<Manifest, "problems" | "isChecked" | "checkError" | "show"> {
  const [found, setFound] = useState<Check>({ text: "", problems: [], error: "" });
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(async () => {
      const next = await checkOf(text);
      if (isCurrent) setFound(next);
    }, CHECK_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [text]);
  return {
    problems: found.problems,
    isChecked: found.text === text,
    checkError: found.error,
    show: (problems) => setFound({ text, problems, error: "" }),
  };
}

async function checkOf(text: string): Promise<Check> {
  if (!text.trim()) return { text, problems: [{ line: 1, reason: "The manifest is empty" }], error: "" };
  try {
    const { problems } = await call<ManifestCheck>("POST", `${MODELS}/check`, { manifest: text });
    return { text, problems, error: "" };
  } catch (error) {
    return { text, problems: [], error: error instanceof ApiError ? error.message : String(error) };
  }
}

function recall(key: string): string | null {
  return localStorage.getItem(key);
}

/** Keep a text that is not saved, so that leaving the page loses nothing. */
function keep(key: string | null, text: string, saved: string): void {
  if (key === null) return;
  if (text === saved) localStorage.removeItem(key);
  else localStorage.setItem(key, text);
}
