import { useState } from "react";
import type { FieldType } from "../../../api/types";
import { Button } from "../../../components/Button";
import { ALL_TYPES } from "./fields";

interface Props {
  types?: [FieldType, string][];
  onAdd: (type: FieldType) => void;
}

/** Choice of a type, and the button that adds a field of it. */
export function AddField({ types = ALL_TYPES, onAdd }: Props) {
  const [type, setType] = useState<FieldType>("text");
  return (
    <div className="row add-field">
      <select className="input compact" aria-label="Type of the new field" value={type} onChange={(event) => setType(event.target.value as FieldType)}>
        {types.map(([each, words]) => (
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
