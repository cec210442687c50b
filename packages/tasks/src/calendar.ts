/** The days of a week, from Monday. */
export const WEEKDAYS: readonly string[] = [
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
  "Sunday",
];

/** The months with their lengths in a common year (365 days). */
export const MONTHS: readonly { name: string; days: number }[] = [
  { name: "January", days: 31 },
  { name: "February", days: 28 },
  { name: "March", days: 31 },
  { name: "April", days: 30 },
  { name: "May", days: 31 },
  { name: "June", days: 30 },
  { name: "July", days: 31 },
  { name: "August", days: 31 },
  { name: "September", days: 30 },
  { name: "October", days: 31 },
  { name: "November", days: 30 },
  { name: "December", days: 31 },
];

/** A date of a common year. */
export interface YearDate {
  /** 0 to 11. */
  month: number;
  /** 1 to 31. */
  day: number;
}

/** "March 25". */
export function writeDate({ month, day }: YearDate): string {
  return `${MONTHS[month]?.name} ${day}`;
}

/** Reads "March 25", "25th of March" or "Mar 25"; undefined for anything else. */
export function readDate(text: string): YearDate | undefined {
  const words = text
    .toLowerCase()
    .split(/[\s,.]+/)
    .filter((word) => word !== "" && word !== "the" && word !== "of");
  const days = words.flatMap((word) => /^(\d{1,2})(?:st|nd|rd|th)?$/.exec(word)?.[1] ?? []);
  const months = words.map((word) => placeOf(word, MONTHS)).filter((place) => place >= 0);
  const [[day], [month]] = [days, months];
  if (day === undefined || month === undefined || words.length !== 2) return undefined;
  return { month, day: Number(day) };
}

/** 0 for "Monday", "monday" or "Mon", to 6; -1 for anything else. */
export function readWeekday(text: string): number {
  return placeOf(
    text.toLowerCase(),
    WEEKDAYS.map((name) => ({ name })),
  );
}

function placeOf(word: string, names: readonly { name: string }[]): number {
  return names
    .map(({ name }) => name.toLowerCase())
    .findIndex((name) => word === name || word === name.slice(0, 3));
}
