import { useId, useState } from "react";
import type { Model } from "../api/types";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { navigate } from "../shell/router";
import { TEMPLATES } from "./templates";
import { Kind } from "./ModelBadges";

const COPY = "copy";

/** Asks for the manifest that a new model begins with. */
export function NewModel({ models, onClose }: { models: Model[]; onClose: () => void }) {
  const id = useId();
  const [start, setStart] = useState(TEMPLATES[0]?.id ?? "");
  const [copied, setCopied] = useState(models[0]?.internalName ?? "");
  const begin = (): void => navigate(`/app/models?new=${encodeURIComponent(start === COPY ? `${COPY}:${copied}` : start)}`);
  return (
    <Dialog title="New model" onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          begin();
        }}
      >
        <fieldset className="starts">
          <legend className="label">Begin with</legend>
          {TEMPLATES.map((each) => (
            <label key={each.id} className="start">
              <input type="radio" name={id} checked={start === each.id} onChange={() => setStart(each.id)} autoFocus={start === each.id} />
              <span>
                <span className="row spread">
                  <strong>{each.name}</strong>
                  <Kind category={each.category} />
                </span>
                <span className="hint">{each.about}</span>
              </span>
            </label>
          ))}
          <label className="start">
            <input type="radio" name={id} checked={start === COPY} onChange={() => setStart(COPY)} />
            <span>
              <strong>A copy of a model</strong>
              <span className="hint">Its fields, prices and call under another name.</span>
            </span>
          </label>
        </fieldset>
        {start === COPY && (
          <div className="field">
            <label htmlFor={`${id}-copied`}>Model to copy</label>
            <select id={`${id}-copied`} className="input" value={copied} onChange={(event) => setCopied(event.target.value)}>
              {models.map((each) => (
                <option key={each.internalName} value={each.internalName}>
                  {each.name}
                </option>
              ))}
            </select>
          </div>
        )}
        <div className="actions">
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="primary" type="submit">
            Continue
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
