import { memo } from "react";

/** Lines on a square of 16, by node type or category. */
const PATHS: Record<string, string> = {
  Inputs: "M2 8h7M6.5 5 9.5 8l-3 3M8 2.5h4a1.5 1.5 0 0 1 1.5 1.5v8a1.5 1.5 0 0 1-1.5 1.5H8",
  Utilities: "M3 5h6M12 5h1M3 11h1M7 11h6M10.5 3.2v3.6M5.5 9.2v3.6",
  LLMs: "M3 3.5h10v7H8L5 13v-2.500H3zM6 6.200h4M6 8.200h2.5",
  "Image Models": "M2.5 3h11v10h-11zM2.5 11l3.5-3.5 3 3 2-2 2.5 2.500M10.5 6h.01",
  "Video Models": "M2.5 4h8v8h-8zM10.5 7l3-2v6l-3-2",
  "Music Models": "M6 11.500V4l7-1.500V10M6 11.500a1.8 1.8 0 1 1-3.6 0 1.8 1.8 0 0 1 3.6 0M13 10a1.8 1.8 0 1 1-3.6 0 1.8 1.8 0 0 1 3.6 0",
  "Image Tools": "M4.5 1.500v10h10M1.5 4.500h10v10",
  Speech: "M8 2a2 2 0 0 0-2 2v4a2 2 0 0 0 4 0V4a2 2 0 0 0-2-2M3.500 7.500V8a4.500 4.500 0 0 0 9 0v-.5M8 12.500V14M5.500 14h5",
  Custom: "M8 2l5.5 3v6L8 14l-5.5-3V5zM2.5 5 8 8l5.5-3M8 8v6",
  Control: "M2.5 5.5h8M8 3l2.5 2.5L8 8M13.5 10.500h-8M8 8 5.5 10.500 8 13",
  Outputs: "M3.5 14V2.500M3.5 3h9l-2 3 2 3h-9",
  textBox: "M3 4.500V3h10v1.500M8 3v10M6 13h4",
  list: "M6 4h7.500M6 8h7.500M6 12h7.500M2.5 4h.01M2.5 8h.01M2.5 12h.01",
  mcpTool: "M6 2v4M10 2v4M4 6h8v2a4 4 0 0 1-8 0zM8 12v2",
  httpRequest: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M2 8h12M8 2c-4 4-4 8 0 12M8 2c4 4 4 8 0 12",
  transform: "M3 13c3 0 3-10 6-10M4.5 7H9M9.5 9l4 4M13.5 9l-4 4",
  condition: "M8 14V9M8 9 3.5 4.500M8 9l4.5-4.500M3.5 7.500v-3h3M12.5 7.500v-3h-3",
  switch: "M2 8h4l4-4.500h4M6 8h8M6 8l4 4.500h4",
  merge: "M2 3.500h3L9 8h5M2 12.500h3L9 8M11.5 5.5 14 8l-2.5 2.5",
  forEach: "M2.5 3.500h5v3h-5zM2.5 9.500h5v3h-5zM10 5h1.500a2 2 0 0 1 2 2v4.500M11.5 9.500l2 2 2-2",
  subWorkflow: "M2.5 2.500h11v11h-11zM5.5 6h5v4.500h-5zM2.5 8h3M10.5 8h3",
  delay: "M4 2.500h8M4 13.500h8M5 2.500v2.200L8 8l3-3.300V2.500M5 13.500v-2.200L8 8l3 3.300v2.200",
  agent: "M3 5.500h10v7H3zM8 5.500V2.500M6 8.500v1M10 8.500v1M1 8v2.500M15 8v2.500",
  approval: "M6.500 7.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5M2 13.500c0-2.500 2-4 4.500-4 .8 0 1.500.1 2.200.4M9.500 11.700l1.700 1.800L14.500 10",
  note: "M3 2.500h10V10l-3.5 3.500H3zM13 10H9.500v3.5",
  documentText: "M4 1.500h5L12.500 5v9.500h-8.500zM9 1.500V5h3.500M6 8h4.500M6 10.200h4.500M6 12.300h3",
  speak: "M2.500 6v4H5l3.500 3V3L5 6zM10.500 5.500a3.500 3.500 0 0 1 0 5M12.300 3.500a6.200 6.200 0 0 1 0 9",
  textEmbedding: "M2.5 13.500v-11M2.5 13.500h11M5 10.500h.01M8 6.500h.01M11 9h.01M11.5 4h.01",
  splitText: "M3 2.500h10M3 5h7M2 8h2M7 8h2M12 8h2M3 11h10M3 13.500h7",
  nearest: "M8 8h.01M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3M8 1v4M8 11v4M1 8h4M11 8h4",
  upload: "M8 10.500V3M5 5.5 8 2.500l3 3M2.5 10v3.500h11V10",
};

/** The sign of a node type. */
export const Icon = memo(function Icon({ type, category }: { type: string; category: string }) {
  return (
    <span className="type-icon" data-category={category} aria-hidden="true">
      <svg viewBox="0 0 16 16" width="16" height="16">
        <path d={PATHS[type] ?? PATHS[category] ?? PATHS.Utilities} />
      </svg>
    </span>
  );
});
