/** Results of workflows with one output, and of models: `run<Files>("reports")`. */

export interface Text {
  text: string;
}

export interface Images {
  images: string[];
}

export interface Videos {
  videos: string[];
}

export interface Audios {
  audios: string[];
}

/** Documents, by their links. */
export interface Files {
  files: string[];
}

/** A part of a transcript, in seconds from the beginning of the sound. */
export interface Segment {
  start: number;
  end: number;
  text: string;
}

/** Result of a model that transcribes; it has no segments where the provider gives none. */
export interface Transcript {
  text: string;
  segments: Segment[];
}
