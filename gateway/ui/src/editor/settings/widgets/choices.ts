/** Choices of settings in words, where their names do not say enough. */

const WORDS: Record<string, Record<string, string>> = {
  onTimeout: { fail: "The node fails", refuse: "It counts as refused", approve: "It counts as approved" },
};

/** A choice of a setting in words; its name where there are none. */
export function choiceInWords(setting: string, choice: string): string {
  return WORDS[setting]?.[choice] ?? choice;
}
