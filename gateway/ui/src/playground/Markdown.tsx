/** The common part of Markdown, as elements: no HTML of a model reaches the page. */

import type { ReactNode } from "react";

const INLINE = /(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*|\[[^\]]+\]\(https?:\/\/[^)\s]+\))/;

function inline(text: string): ReactNode[] {
  return text.split(INLINE).map((part, place) => {
    if (place % 2 === 0) return part;
    if (part.startsWith("`")) return <code key={place}>{part.slice(1, -1)}</code>;
    if (part.startsWith("**")) return <strong key={place}>{part.slice(2, -2)}</strong>;
    if (part.startsWith("*")) return <em key={place}>{part.slice(1, -1)}</em>;
    const [label = "", href] = part.slice(1, -1).split("](");
    return (
      <a key={place} href={href} rel="noreferrer nofollow" target="_blank">
        {label}
      </a>
    );
  });
}

function lines(text: string): ReactNode[] {
  return text.split("\n").flatMap((line, place) => (place ? [<br key={place} />, ...inline(line)] : inline(line)));
}

function block(text: string, key: number): ReactNode {
  const heading = /^(#{1,4}) (.*)$/.exec(text);
  if (heading) return <h2 key={key}>{inline(heading[2] as string)}</h2>;
  const rows = text.split("\n");
  if (rows.every((row) => /^[-*] /.test(row))) {
    return <ul key={key}>{rows.map((row, place) => <li key={place}>{inline(row.slice(2))}</li>)}</ul>;
  }
  if (rows.every((row) => /^\d+[.)] /.test(row))) {
    return <ol key={key}>{rows.map((row, place) => <li key={place}>{inline(row.replace(/^\d+[.)] /, ""))}</li>)}</ol>;
  }
  if (rows.every((row) => row.startsWith("> "))) {
    return <blockquote key={key}>{lines(rows.map((row) => row.slice(2)).join("\n"))}</blockquote>;
  }
  return <p key={key}>{lines(text)}</p>;
}

export function Markdown({ text }: { text: string }) {
  const parts = text.split(/^```.*$/m);
  return (
    <div className="markdown">
      {parts.map((part, place) =>
        place % 2 === 1 ? (
          <pre key={place} tabIndex={0}>
            <code>{part.replace(/^\n|\n$/g, "")}</code>
          </pre>
        ) : (
          part
            .split(/\n{2,}|\n(?=#{1,4} )/)
            .map((each) => each.replace(/^\n+|\n+$/g, ""))
            .filter(Boolean)
            .map((each, row) => block(each, place * 1_000 + row))
        ),
      )}
    </div>
  );
}
