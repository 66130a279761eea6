import { useId } from "react";
import type { Verify, VerifyKind } from "../../api/triggers";
import { TextField } from "../../components/TextField";
import "../../playground/form.css";
import type { Faults } from "../common/faults";
import { HookSecret } from "./HookSecret";
import { SERVICES, serviceOf } from "./services";

interface Props {
  verify: Verify;
  faults: Faults;
  onService: (kind: VerifyKind) => void;
  onChange: (verify: Verify) => void;
}

/** The sender of the events, and the proof that an event is its own. */
export function VerifyFields({ verify, faults, onService, onChange }: Props) {
  const id = useId();
  const service = serviceOf(verify.kind);
  return (
    <section className="stack" aria-labelledby={`${id}-heading`}>
      <h2 id={`${id}-heading`}>Sender</h2>
      <fieldset className="pills" role="radiogroup" aria-label="Sender">
        {SERVICES.map(({ kind, label }) => (
          <label key={kind} className="pill">
            <input type="radio" className="hidden-visually" name={id} checked={verify.kind === kind} onChange={() => onService(kind)} />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
      <p className="hint">{service.about}</p>
      {faults["verify.kind"] && <p className="fault">{faults["verify.kind"]}</p>}
      {verify.kind === "none" ? (
        <p className="note warn">Nothing proves where a request comes from: whoever learns the URL can start runs, and the account pays for them.</p>
      ) : (
        <HookSecret
          key={verify.kind}
          service={service}
          value={verify.secret ?? ""}
          fault={faults["verify.secret"]}
          onChange={(secret) => onChange({ ...verify, secret })}
        />
      )}
      {verify.kind === "hmac" && <HmacFields verify={verify} faults={faults} onChange={onChange} />}
    </section>
  );
}

function HmacFields({ verify, faults, onChange }: Omit<Props, "onService">) {
  const id = useId();
  const typing = { autoComplete: "off", spellCheck: false };
  return (
    <div className="hook-columns">
      <TextField
        label="Header of the signature"
        value={verify.header ?? ""}
        fault={faults["verify.header"]}
        onChange={(header) => onChange({ ...verify, header })}
        {...typing}
      />
      <TextField
        label="Text before it"
        hint="Often sha256=, or nothing."
        value={verify.prefix ?? ""}
        fault={faults["verify.prefix"]}
        onChange={(prefix) => onChange({ ...verify, prefix })}
        {...typing}
      />
      <div className="field">
        <label htmlFor={id}>Written as</label>
        <select
          id={id}
          className="input"
          value={verify.encoding ?? "hex"}
          onChange={(event) => onChange({ ...verify, encoding: event.target.value === "base64" ? "base64" : "hex" })}
        >
          <option value="hex">hex</option>
          <option value="base64">base64</option>
        </select>
      </div>
    </div>
  );
}
