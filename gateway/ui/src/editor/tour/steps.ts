/** The steps of the tour, each beside a part of the page. */

export interface TourStep {
  /** Selector of the part that the step is about. */
  at: string;
  title: string;
  text: string;
}

export const STEPS: TourStep[] = [
  {
    at: ".sidebar",
    title: "Add nodes",
    text: "Drag a node to the canvas, or press it. A double click on the canvas, or the key /, finds one by name.",
  },
  {
    at: ".canvas",
    title: "Wire them",
    text: "Drag from a dot on the right of a node to one on the left of another. Dots of one colour fit; purple takes anything.",
  },
  {
    at: ".bar-problems",
    title: "Mend problems",
    text: "Everything is checked while you draw. This list leads to each problem, in its node and field.",
  },
  {
    at: ".bar-run",
    title: "Run it",
    text: "Run tries what you see with inputs of yours, shows each node at work, and touches nothing that callers get.",
  },
  {
    at: ".bar-publish",
    title: "Publish it",
    text: "Callers get the published version alone. Deploy has the address, the code of a call and the form for others.",
  },
];
