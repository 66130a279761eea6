/** The widgets by the name that the catalogue gives (`x-widget`); a name that is not here is edited as JSON. */

import { BodyWidget } from "../calls/BodyWidget";
import { FieldWidget } from "../calls/FieldWidget";
import { ArgumentsWidget } from "../calls/mcp/ArgumentsWidget";
import { ServerWidget } from "../calls/mcp/ServerWidget";
import { ToolWidget } from "../calls/mcp/ToolWidget";
import { ApproveWidget } from "../calls/tools/ApproveWidget";
import { ToolsWidget } from "../calls/tools/ToolsWidget";
import { WorkflowWidget } from "../calls/WorkflowWidget";
import { ExpressionWidget } from "../expression/ExpressionWidget";
import { FieldDesigner } from "../fields/FieldDesigner";
import { CasesWidget } from "../lists/CasesWidget";
import { HeadersWidget } from "../lists/HeadersWidget";
import { ItemsWidget } from "../lists/ItemsWidget";
import { NamesWidget } from "../lists/NamesWidget";
import { ModelPicker } from "../models/ModelPicker";
import { ValuesWidget } from "../models/ValuesWidget";
import { AuthWidget } from "../secrets/AuthWidget";
import { TemplateWidget } from "../template/TemplateWidget";
import { DurationWidget } from "../waits/DurationWidget";
import { MomentWidget } from "../waits/MomentWidget";
import { AssetWidget } from "./AssetWidget";
import { FallbackWidget } from "./FallbackWidget";
import { JsonWidget } from "./JsonWidget";
import { Choice, Color, Line, Lines, NumberLine, Retry, Slider, Switch } from "./simple";
import type { Widget } from "./widget";

export const WIDGETS: Record<string, Widget> = {
  text: { Control: Line },
  textarea: { Control: Lines },
  template: { Control: TemplateWidget },
  expression: { Control: ExpressionWidget },
  model: { Control: ModelPicker, isExplained: true },
  number: { Control: NumberLine },
  slider: { Control: Slider },
  duration: { Control: DurationWidget, isExplained: true },
  moment: { Control: MomentWidget, isExplained: true },
  select: { Control: Choice },
  toggle: { Control: Switch },
  color: { Control: Color },
  json: { Control: JsonWidget },
  asset: { Control: AssetWidget, isExplained: true },
  headers: { Control: HeadersWidget, isGroup: true },
  auth: { Control: AuthWidget, isGroup: true, isExplained: true },
  fields: { Control: FieldDesigner, isGroup: true },
  values: { Control: ValuesWidget, isGroup: true, isExplained: true },
  items: { Control: ItemsWidget, isGroup: true },
  names: { Control: NamesWidget, isGroup: true },
  cases: { Control: CasesWidget, isGroup: true },
  body: { Control: BodyWidget, isGroup: true, isExplained: true },
  workflow: { Control: WorkflowWidget, isExplained: true },
  field: { Control: FieldWidget },
  toolServer: { Control: ServerWidget, isExplained: true },
  tool: { Control: ToolWidget, isExplained: true },
  toolArguments: { Control: ArgumentsWidget, isGroup: true, isExplained: true },
  tools: { Control: ToolsWidget, isGroup: true, isExplained: true },
  approve: { Control: ApproveWidget, isGroup: true, isExplained: true },
  retry: { Control: Retry, isGroup: true },
  fallback: { Control: FallbackWidget, isGroup: true, isExplained: true },
};
