import type { ReactNode } from "react";
import { Fold } from "../../../editor/settings/Fold";
import { isTable } from "../toml";
import { CallPart } from "./CallPart";
import { FieldsPart } from "./FieldsPart";
import { type FormProps, faultsWithin, Members } from "./Members";
import { CALLS, MEMBERS } from "./memberTable";
import { PricesPart } from "./PricesPart";
import "../../../editor/settings/settings.css";

/** The manifest in groups; each change is made to the TOML at once. */
export function ManifestForm({ manifest, isNameFixed }: FormProps & { isNameFixed: boolean }) {
  const { table } = manifest;
  const count = (key: string): string => (Array.isArray(table[key]) ? ` (${(table[key] as unknown[]).length})` : "");
  return (
    <fieldset className="manifest-form settings" disabled={!manifest.isToml}>
      <legend className="hidden-visually">Members of the manifest</legend>
      <Part title="The model" faults={faultsWithin(manifest, MEMBERS.top.map((each) => each.name))} isOpen>
        <Members manifest={manifest} members={MEMBERS.top} path={[]} isFixed={(member) => isNameFixed && member.name === "internalName"} />
      </Part>
      <Part title={`Fields${count("fields")}`} faults={faultsWithin(manifest, ["fields"])} isOpen>
        <FieldsPart manifest={manifest} />
      </Part>
      <Part title={`Prices${count("pricing")}`} faults={faultsWithin(manifest, ["pricing"])} isOpen>
        <PricesPart manifest={manifest} />
      </Part>
      <Part title="The call" faults={faultsWithin(manifest, CALLS.map(({ name }) => name))} isOpen>
        <CallPart manifest={manifest} />
      </Part>
      <Part title="Limits of the provider" faults={faultsWithin(manifest, ["limits"])} isOpen={isTable(table.limits)}>
        <p className="hint">What the provider allows; calls wait for their turn.</p>
        <Members manifest={manifest} members={MEMBERS.limits} path={["limits"]} />
      </Part>
      <Part title="Trial of Free accounts" faults={faultsWithin(manifest, ["trial"])} isOpen={isTable(table.trial)}>
        <p className="hint">Either a number of runs or of days.</p>
        <Members manifest={manifest} members={MEMBERS.trial} path={["trial"]} />
      </Part>
    </fieldset>
  );
}

function Part({ title, faults, isOpen, children }: { title: string; faults: number; isOpen: boolean; children: ReactNode }) {
  return (
    <Fold
      className="form-part"
      isOpenAtFirst={isOpen}
      summary={
        <>
          <h2>{title}</h2>
          {faults > 0 && <span className="badge bad">{faults === 1 ? "1 problem" : `${faults} problems`}</span>}
        </>
      }
    >
      <div className="stack">{children}</div>
    </Fold>
  );
}
