import type { Manifest } from "./useManifest";

/** Every problem, which leads to its line. */
export function ProblemList({ id, manifest, onGo }: { id: string; manifest: Manifest; onGo: (line: number) => void }) {
  const { problems, checkError } = manifest;
  return (
    <div id={id} className="problem-list" aria-live="polite">
      {checkError && <p className="fault">This could not be checked: {checkError}</p>}
      {problems.length > 0 && (
        <ul aria-label="Problems">
          {problems.map(({ line, path, reason }) => (
            <li key={`${line} ${path} ${reason}`}>
              {line === undefined ? (
                <span className="problem">{reason}</span>
              ) : (
                <button type="button" className="problem" onClick={() => onGo(line)}>
                  <span className="problem-line">Line {line}</span> {reason}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
