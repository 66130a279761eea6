import { CopyButton } from "./CopyButton";

interface Props {
  text: string;
  isWrapped?: boolean;
  label?: string;
}

export function CodeBlock({ text, isWrapped, label = "Code" }: Props) {
  return (
    <div className={isWrapped ? "code wrapped" : "code"}>
      {/* Focusable, since it scrolls. */}
      <pre tabIndex={0} aria-label={label} role="region">
        <code>{text}</code>
      </pre>
      <CopyButton text={text} />
    </div>
  );
}
