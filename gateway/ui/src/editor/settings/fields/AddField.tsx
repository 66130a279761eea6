import { useState } from "react";
import type { FieldType } from "../../../api/types";
import { Button } from "../../../components/Button";
import { TYPES } from "./fields";

/** Choice of a type, and the button that adds a field of it. */
export function AddField({ onAdd }: { onAdd: (type: FieldType) => void }) {
  const [type, setType] = useState<FieldType>("text");
  return (
    <div className="row add-field">
      <select className="input compact" aria-label="Type of the new field" value={type} onChange={(event) => setType(event.target.value as FieldType)}>
        {Object.entries(TYPES).map(([each, words]) => (
          <option key={each} value={each}>
            {words}
          </option>
        ))}
      </select>
      <Button isCompact onClick={() => onAdd(type)}>
        Add a field
      </Button>
    </div>
  );
}
