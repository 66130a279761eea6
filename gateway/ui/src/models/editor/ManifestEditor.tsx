import { type KeyboardEvent, useId, useRef, useState } from "react";
import { Button } from "../../components/Button";
import { DeleteModel } from "./DeleteModel";
import "./editor.css";
import { ManifestForm } from "./form/ManifestForm";
import { CALLS } from "./form/memberTable";
import { ProblemList } from "./ProblemList";
import { SaveConflict } from "./SaveConflict";
import { goToLine, TomlArea } from "./TomlArea";
import { isTable } from "./toml";
import { type Manifest, useManifest } from "./useManifest";
import { type EditedSource, type Save, useSave } from "./useSave";

interface Props {
  /** Internal name; null for a model that is not saved yet. */
  name: string | null;
  source: EditedSource;
}

const VIEWS = { form: "Form", toml: "TOML" };
type View = keyof typeof VIEWS;

const HIDDEN = "•••";
const NOTES: Record<string, string> = {
  shipped: "This model ships with Headrace. Saving makes a version of your own, which counts before it until you delete it.",
  folder: "This model is a file of the models folder. Saving makes a version that counts before the file until you delete it.",
};

/** A manifest as a form and as TOML, which follow each other; problems stand at both. */
export default function ManifestEditor({ name, source }: Props) {
  const id = useId();
  const manifest = useManifest(name, source.manifest);
  const save = useSave(name, source, manifest);
  const area = useRef<HTMLTextAreaElement>(null);
  const [view, setView] = useState<View>("form");
  const [isDeleting, setDeleting] = useState(false);
  const goTo = (line: number): void => {
    setView("toml");
    // On phones the area is there only after it was chosen.
    setTimeout(() => area.current && goToLine(area.current, line));
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: shortcuts of the controls inside
    <div className="manifest-editor" data-view={view} onKeyDown={(event) => press(event, manifest, save)}>
      <Bar name={name} source={source} manifest={manifest} save={save} onGo={goTo} onDelete={() => setDeleting(true)} />
      <Notes source={source} manifest={manifest} />
      {save.fault && (
        <p className="note bad" role="alert">
          {save.fault}
        </p>
      )}
      <fieldset className="pills view-choice" role="radiogroup" aria-label="Shown">
        {(Object.keys(VIEWS) as View[]).map((each) => (
          <label key={each} className="pill">
            <input type="radio" className="hidden-visually" name={`${id}-view`} checked={view === each} onChange={() => setView(each)} />
            <span>{VIEWS[each]}</span>
          </label>
        ))}
      </fieldset>
      <div className="editor-columns">
        <section className="form-column" aria-label="Form">
          {!manifest.isToml && <p className="note warn small">The text is not TOML now. The form goes on when it is mended.</p>}
          <ManifestForm manifest={manifest} isNameFixed={name !== null} />
        </section>
        <section className="toml-column" aria-label="TOML">
          <TomlArea manifest={manifest} saved={source.manifest} area={area} describedBy={`${id}-problems`} />
          <ProblemList id={`${id}-problems`} manifest={manifest} onGo={goTo} />
        </section>
      </div>
      {save.conflict && <SaveConflict conflict={save.conflict} own={manifest.text} onKeep={save.overwrite} onTakeTheirs={save.takeTheirs} onClose={save.close} />}
      {isDeleting && name !== null && <DeleteModel name={name} onClose={() => setDeleting(false)} />}
    </div>
  );
}

/** The shortcuts of saving, undo and redo. */
function press(event: KeyboardEvent, manifest: Manifest, { save }: Save): void {
  if (!(event.metaKey || event.ctrlKey)) return;
  const key = event.key.toLowerCase();
  if (key === "s") void save();
  else if (key === "z" && event.shiftKey) manifest.redo?.();
  else if (key === "z") manifest.undo?.();
  else if (key === "y") manifest.redo?.();
  else return;
  event.preventDefault();
}

interface BarProps extends Props {
  manifest: Manifest;
  save: Save;
  onGo: (line: number) => void;
  onDelete: () => void;
}

/** The state of the text, and the actions on the whole of it. */
function Bar({ name, source, manifest, save, onGo, onDelete }: BarProps) {
  const isChanged = manifest.text !== source.manifest;
  const isSaved = source.origin === "saved";
  return (
    <div className="manifest-bar">
      <span className="row" role="status">
        <State manifest={manifest} words={isChanged || name === null ? "Not saved" : isSaved ? "All changes saved" : "Not changed"} onGo={onGo} />
      </span>
      <span className="row">
        {isSaved && (
          <Button look="quiet" isCompact isDanger onClick={onDelete}>
            Delete
          </Button>
        )}
        <Button look="quiet" isCompact disabled={!manifest.undo} onClick={manifest.undo}>
          Undo
        </Button>
        <Button look="quiet" isCompact disabled={!manifest.redo} onClick={manifest.redo}>
          Redo
        </Button>
        {name !== null && (
          <Button look="quiet" isCompact disabled={!isChanged} onClick={() => manifest.reset(source.manifest)}>
            Discard changes
          </Button>
        )}
        <Button look="primary" isCompact disabled={save.isSaving || (name !== null && !isChanged)} onClick={() => void save.save()}>
          Save
        </Button>
      </span>
    </div>
  );
}

/** The effect of saving a model of the disk, and a warning where saving would lose keys. */
function Notes({ source, manifest }: { source: EditedSource; manifest: Manifest }) {
  return (
    <>
      {source.origin && NOTES[source.origin] && (
        <div className="note small row spread">
          <span>{NOTES[source.origin]}</span>
          <OtherAddress manifest={manifest} />
        </div>
      )}
      {manifest.text.includes(HIDDEN) && (
        <p className="note warn small">Values of headers that may be keys are shown as {HIDDEN} and would be saved so. Change this model in its file.</p>
      )}
    </>
  );
}

/** Removes the members that only manifests on disk may have: a saved manifest is refused with them. */
function OtherAddress({ manifest }: { manifest: Manifest }) {
  const section = CALLS.find(({ name }) => name in manifest.table)?.name ?? "";
  const call = manifest.table[section];
  if (!isTable(call) || !("base_url_env" in call)) return null;
  const { base_url_env: _, setup: __, ...rest } = call;
  return (
    <Button isCompact onClick={() => manifest.change([section], rest)}>
      Take out base_url_env to save it
    </Button>
  );
}

interface StateProps {
  manifest: Manifest;
  words: string;
  onGo: (line: number) => void;
}

/** The result of the check, which leads to the first problem, and whether the text is saved. */
function State({ manifest, words, onGo }: StateProps) {
  const { problems, checkError, isChecked } = manifest;
  const first = problems.find(({ line }) => line !== undefined)?.line ?? 1;
  return (
    <>
      {checkError && <span className="badge warn">Not checked</span>}
      {!checkError && !isChecked && <span className="badge">Checking…</span>}
      {!checkError && isChecked && problems.length === 0 && <span className="badge good">No problems</span>}
      {!checkError && isChecked && problems.length > 0 && (
        <button type="button" className="badge bad problem-count" title="Go to the first one" onClick={() => onGo(first)}>
          {problems.length === 1 ? "1 problem" : `${problems.length} problems`}
        </button>
      )}
      <span className="muted small">{words}</span>
    </>
  );
}
