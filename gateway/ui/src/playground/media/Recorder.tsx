import { useEffect, useRef, useState } from "react";
import { Button } from "../../components/Button";

const TYPES = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus", "audio/mp4"];
const ENDINGS: Record<string, string> = { "audio/ogg": "ogg", "audio/webm": "webm", "audio/mp4": "m4a" };

/** The type of sound that this browser records and the API takes; undefined: it records none. */
function recordedType(): string | undefined {
  if (typeof MediaRecorder === "undefined" || !navigator.mediaDevices) return undefined;
  return TYPES.find((type) => MediaRecorder.isTypeSupported(type));
}

/** Records a sound by the microphone, for which the browser asks after a click. */
export function Recorder({ onFile }: { onFile: (file: File) => void }) {
  const [type] = useState(recordedType);
  const [isOn, setOn] = useState(false);
  const [fault, setFault] = useState("");
  const recorder = useRef<MediaRecorder>(null);
  useEffect(() => () => stop(recorder.current, false), []);
  if (!type) return null;
  const begin = async (): Promise<void> => {
    setFault("");
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      recorder.current = record(stream, type, onFile, () => setOn(false));
      setOn(true);
    } catch (error) {
      setFault((error as Error).name === "NotFoundError" ? "There is no microphone." : "The browser did not allow the microphone.");
    }
  };
  return (
    <>
      <Button aria-pressed={isOn} className={isOn ? "recording" : undefined} onClick={() => (isOn ? stop(recorder.current, true) : void begin())}>
        {isOn ? "Stop recording" : "Record"}
      </Button>
      {fault && (
        <span className="fault small" role="alert">
          {fault}
        </span>
      )}
    </>
  );
}

function record(stream: MediaStream, type: string, onFile: (file: File) => void, onEnd: () => void): MediaRecorder {
  const recorder = new MediaRecorder(stream, { mimeType: type });
  const parts: Blob[] = [];
  const [bare = ""] = type.split(";");
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.onstop = () => {
    for (const track of stream.getTracks()) track.stop();
    onEnd();
    onFile(new File(parts, `recording.${ENDINGS[bare]}`, { type: bare }));
  };
  recorder.start();
  return recorder;
}

/** End a recording; without its file, where the page has no place for it any more. */
function stop(recorder: MediaRecorder | null, isKept: boolean): void {
  if (!recorder || recorder.state === "inactive") return;
  if (!isKept) {
    recorder.onstop = null;
    for (const track of recorder.stream.getTracks()) track.stop();
  }
  recorder.stop();
}
