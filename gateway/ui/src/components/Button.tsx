import type { ButtonHTMLAttributes } from "react";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: "primary" | "quiet" | "plain";
  isCompact?: boolean;
  isDanger?: boolean;
}

export function Button({ look = "plain", isCompact, isDanger, className, ...rest }: Props) {
  const names = ["button", look, isCompact && "compact", isDanger && "danger", className];
  return <button type="button" className={names.filter(Boolean).join(" ")} {...rest} />;
}
