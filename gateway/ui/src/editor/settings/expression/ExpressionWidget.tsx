import { useReasons } from "../problems";
import { inWords, type WidgetProps } from "../widgets/widget";
import { ExpressionEditor } from "./ExpressionEditor";
import { FunctionList } from "./FunctionList";

export function ExpressionWidget({ node, name, value, id, describedBy, onChange }: WidgetProps) {
  const reasons = useReasons(node.id, name);
  return (
    <>
      <ExpressionEditor
        node={node}
        text={inWords(value)}
        id={id}
        describedBy={describedBy}
        reasons={reasons}
        onChange={(to) => onChange(to || undefined)}
      />
      <FunctionList />
    </>
  );
}
