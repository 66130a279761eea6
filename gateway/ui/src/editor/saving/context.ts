/** The saver of the editor that is open. */

import { createContext, useContext } from "react";
import type { Saver } from "./saver";

export const SaverContext = createContext<Saver | null>(null);

export function useSaver(): Saver {
  const saver = useContext(SaverContext);
  if (!saver) throw new Error("This component belongs into an editor.");
  return saver;
}
