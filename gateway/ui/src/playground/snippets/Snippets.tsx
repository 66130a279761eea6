import { useId, useState } from "react";
import { CodeBlock } from "../../components/CodeBlock";
import { Tabs } from "../../components/Tabs";
import "../form.css";
import { LANGUAGES, type Language, snippet, WAYS, type Way } from "./snippets";

const CHOICE = "headrace-snippets";
const NAMES: Record<Way, string> = { client: "With the client", http: "Plain HTTP" };
const INSTALL: Record<"Python" | "TypeScript", string[]> = {
  Python: ["pip install ./deploy/clients/python"],
  TypeScript: ["make dist", "npm install dist/headrace-*.tgz"],
};

interface Choice {
  language: Language;
  way: Way;
}

/** One call as code: for a shell, and for two languages with their client or without. The choice is remembered. */
export function Snippets({ url, inputs, isWrapped }: { url: string; inputs: unknown; isWrapped?: boolean }) {
  const [{ language, way }, choose] = useChoice();
  return (
    <Tabs label="Language" tabs={LANGUAGES} chosen={language} onChoose={(tab) => choose({ language: tab as Language, way })}>
      <div className="stack">
        {language !== "curl" && <WayChoice way={way} onChoose={(each) => choose({ language, way: each })} />}
        <CodeBlock text={snippet(language, way, url, inputs)} label={`${language} call`} isWrapped={isWrapped} />
        {language !== "curl" && way === "client" && (
          <p className="muted small">
            It needs the client, from a clone of Headrace: <code>{INSTALL[language].join(" && ")}</code>
          </p>
        )}
      </div>
    </Tabs>
  );
}

function WayChoice({ way, onChoose }: { way: Way; onChoose: (way: Way) => void }) {
  const id = useId();
  return (
    <fieldset className="pills" role="radiogroup" aria-label="Way to call">
      {WAYS.map((each) => (
        <label key={each} className="pill">
          <input type="radio" className="hidden-visually" name={id} checked={way === each} onChange={() => onChoose(each)} />
          <span>{NAMES[each]}</span>
        </label>
      ))}
    </fieldset>
  );
}

function useChoice(): [Choice, (choice: Choice) => void] {
  const [choice, setChoice] = useState(remembered);
  const choose = (next: Choice): void => {
    localStorage.setItem(CHOICE, `${next.language} ${next.way}`);
    setChoice(next);
  };
  return [choice, choose];
}

function remembered(): Choice {
  const [language, way] = localStorage.getItem(CHOICE)?.split(" ") ?? [];
  return {
    language: LANGUAGES.find((each) => each === language) ?? "curl",
    way: WAYS.find((each) => each === way) ?? "client",
  };
}
