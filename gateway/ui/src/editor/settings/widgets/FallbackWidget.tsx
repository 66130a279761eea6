import type { Field } from "../../../api/types";
import { inWords, type Socket, socketsOf, useCatalogue, wirableOutputs } from "../../catalogue/catalogue";
import { useEditor } from "../../document/store";
import { isMediaKind } from "../../../playground/media/kinds";
import { FieldValue } from "../models/FieldValue";
import { useReasons } from "../problems";
import type { WidgetProps } from "./widget";

/** The outputs of a node after a failure, each with a control for the type of its socket. */
export function FallbackWidget(props: WidgetProps) {
  const { node } = props;
  const catalogue = useCatalogue();
  const sockets = useEditor((state) => socketsOf(node, state.check.sockets, catalogue));
  const outputs = wirableOutputs(node, sockets.outputs);
  if (outputs.length === 0) return <p className="hint">This node has no outputs.</p>;
  return (
    <div className="stack values">
      <p className="hint">After a failure the run goes on with these outputs; null where none is given.</p>
      {outputs.map((socket) => (
        <Value key={`${socket.type} ${socket.name}`} {...props} socket={socket} />
      ))}
    </div>
  );
}

function fieldOf({ name, type }: Socket): Field {
  const isMedium = isMediaKind(type);
  const common = { name, label: inWords(name), required: false, placeholder: undefined };
  if (type === "any") return { ...common, type: "json", helperText: "As JSON." };
  return { ...common, type: isMedium ? "text" : "textarea", helperText: isMedium ? `The URL of the ${type}.` : undefined };
}

function Value({ node, name, value, onChange, socket }: WidgetProps & { socket: Socket }) {
  const reasons = useReasons(node.id, `${name}.${socket.name}`);
  const values = (value && typeof value === "object" ? value : {}) as Record<string, unknown>;
  const set = (to: unknown): void => {
    const { [socket.name]: _, ...others } = values;
    const next = to === undefined ? others : { ...values, [socket.name]: to };
    onChange(Object.keys(next).length > 0 ? next : undefined, socket.name);
  };
  return (
    <div data-field={`${name}.${socket.name}`} className="stack tight">
      <FieldValue field={fieldOf(socket)} value={values[socket.name]} fault={reasons[0]} onChange={set} />
    </div>
  );
}
