import { useState } from "react";
import { FormField } from "../../../playground/FormField";
import { shown } from "../../../playground/inputs";
import { Fold } from "../Fold";
import { ownFields } from "../models/ValuesWidget";
import type { DraftField } from "./fields";

/** The form as those who fill it in see it. Its values are not sent. */
export function FormPreview({ fields }: { fields: DraftField[] }) {
  const [draft, setDraft] = useState<Record<string, unknown>>({});
  const complete = ownFields(fields);
  if (complete.length === 0) return null;
  return (
    <Fold className="fold preview" summary="Preview of the form">
      <div className="stack">
        {complete.map((field) => (
          <FormField
            key={`${field.type} ${field.name}`}
            field={field}
            value={draft[field.name] ?? shown(field, field.default)}
            onChange={(value) => setDraft({ ...draft, [field.name]: value })}
          />
        ))}
      </div>
    </Fold>
  );
}
