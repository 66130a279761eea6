import { Fold } from "../../../editor/settings/Fold";
import { isTable, pathName, type Step, valueAt } from "../toml";
import type { Manifest } from "../useManifest";
import { MemberField } from "./MemberField";
import type { Member } from "./memberTable";

/** The manifest, which every part of the form reads and writes. */
export interface FormProps {
  manifest: Manifest;
}

interface MembersProps extends FormProps {
  members: readonly Member[];
  path: Step[];
  isFixed?: (member: Member) => boolean;
}

/** Controls of the members of a table; rare ones that are not set stand below "More". */
export function Members({ manifest, members, path, isFixed }: MembersProps) {
  const table = valueAt(manifest.table, path);
  const isHidden = (member: Member): boolean =>
    member.isRare === true && !(isTable(table) && member.name in table) && faultsOf(manifest, [...path, member.name]).length === 0;
  const field = (member: Member) => (
    <MemberField
      key={member.name}
      member={member}
      value={valueAt(table, [member.name])}
      faults={faultsOf(manifest, [...path, member.name])}
      isFixed={isFixed?.(member) ?? false}
      onChange={(to) => manifest.change([...path, member.name], to)}
    />
  );
  const rare = members.filter((member) => member.isRare);
  const hidden = rare.filter(isHidden);
  return (
    <div className="members">
      {members.filter((member) => !member.isRare).map(field)}
      {rare.filter((member) => !isHidden(member)).map(field)}
      {hidden.length > 0 && (
        <Fold summary="More">
          <div className="members">{hidden.map(field)}</div>
        </Fold>
      )}
    </div>
  );
}

/** Reasons of problems at a path, and within it unless `isExact`. */
export function faultsOf({ problems }: Manifest, path: readonly Step[], isExact = false): string[] {
  const name = pathName(path);
  return problems.filter((each) => each.path === name || (!isExact && isWithin(each.path, name))).map((each) => each.reason);
}

function isWithin(path: string | undefined, name: string): boolean {
  return path !== undefined && (path.startsWith(`${name}.`) || path.startsWith(`${name}[`));
}

/** The number of problems at these members and within them. */
export function faultsWithin({ problems }: Manifest, names: readonly string[]): number {
  return problems.filter(({ path }) => names.some((name) => path === name || isWithin(path, name))).length;
}
