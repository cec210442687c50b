import { MONTHS, readDate, readWeekday, WEEKDAYS, writeDate, type YearDate } from "../calendar.ts";
import { answersNumber, finalAnswer } from "../final-answer.ts";
import type { Random } from "../random.ts";
import { scaled, type Problem, type Task } from "../task.ts";

const WEEKDAY_PHRASINGS: Record<
  "later" | "earlier",
  readonly ((day: string, n: number) => string)[]
> = {
  later: [
    (day, n) => `Today is ${day}. Which day of the week is it in ${n} days?`,
    (day, n) => `What day of the week is ${n} days after a ${day}?`,
    (day, n) => `If today is ${day}, what day will it be ${n} days from now?`,
  ],
  earlier: [
    (day, n) => `Today is ${day}. Which day of the week was it ${n} days ago?`,
    (day, n) => `What day of the week is ${n} days before a ${day}?`,
  ],
};
const DATE_PHRASINGS: readonly ((date: string, n: number) => string)[] = [
  (date, n) => `In a year of 365 days, which date is ${n} days after ${date}?`,
  (date, n) => `It is ${date} of a year with 365 days. What is the date in ${n} days?`,
];
const BETWEEN_PHRASINGS: readonly ((from: string, to: string) => string)[] = [
  (from, to) => `In a year of 365 days, how many days are there from ${from} to ${to}?`,
  (from, to) => `How many days after ${from} is ${to} in a year of 365 days?`,
];

const DAYS_IN_YEAR = 365;

/** Days of the week, dates and distances within a common year. */
export const dateArithmetic: Task = {
  name: "date-arithmetic",
  description: "Find a day of the week, a date, or the days between two dates.",
  generate(random, difficulty) {
    const kind = random.integer(0, 2);
    if (kind === 0) return weekdayProblem(random, scaled(difficulty, 20, 120));
    const days = random.integer(2, scaled(difficulty, 10, 150));
    const start = random.integer(1, DAYS_IN_YEAR - days);
    return kind === 1 ? dateProblem(random, start, days) : betweenProblem(random, start, days);
  },
};

/** Takes off sevens, then steps day by day. */
function weekdayProblem(random: Random, most: number): Problem {
  const start = random.integer(0, 6);
  const days = random.integer(2, most);
  const direction = random.pick(["later", "earlier"] as const);
  const lines = [`${WEEKDAYS[start]} ${direction} ${days}`];
  let left = days;
  for (; left >= 7; left -= 7) lines.push(`${left}-7=${left - 7}`);
  const step = direction === "later" ? 1 : 6;
  const names = Array.from({ length: left + 1 }, (_, i) => WEEKDAYS[(start + i * step) % 7] ?? "");
  const answer = names.at(-1) ?? "";
  lines.push(names.map((name, i) => `${left - i} ${name}`).join(", "), answer);
  const truth = (((direction === "later" ? start + days : start - days) % 7) + 7) % 7;
  return {
    task: "date-arithmetic",
    key: `${WEEKDAYS[start]} ${direction} ${days}`,
    prompt: random.pick(WEEKDAY_PHRASINGS[direction])(WEEKDAYS[start] ?? "", days),
    thinking: lines.join("\n"),
    answer,
    verify: (text) => readWeekday(finalAnswer(text).replace(/^an? /i, "")) === truth,
  };
}

/** Counts from the first of the month and takes off month after month while it is too much. */
function dateProblem(random: Random, start: number, days: number): Problem {
  const from = dateOf(start);
  const truth = dateOf(start + days);
  let [{ month }, day] = [from, from.day + days];
  const lines = [`${MONTHS[from.month]?.name} ${from.day}+${days}=${day}`];
  for (let length = lengthOf(month); day > length; length = lengthOf(month)) {
    lines.push(`${MONTHS[month]?.name} has ${length}: ${day}-${length}=${day - length}`);
    day -= length;
    month += 1;
  }
  const answer = writeDate({ month, day });
  lines.push(`${MONTHS[month]?.name} has ${lengthOf(month)}: ${day} fits`, answer);
  return {
    task: "date-arithmetic",
    key: `${writeDate(from)} plus ${days}`,
    prompt: random.pick(DATE_PHRASINGS)(writeDate(from), days),
    thinking: lines.join("\n"),
    answer,
    verify: (text) => {
      const found = readDate(finalAnswer(text));
      return found?.month === truth.month && found.day === truth.day;
    },
  };
}

/** Adds what is left of the first month, the whole months between, and the days of the last one. */
function betweenProblem(random: Random, start: number, days: number): Problem {
  const [from, to] = [dateOf(start), dateOf(start + days)];
  const lines = [`${writeDate(from)} to ${writeDate(to)}`];
  let count: number;
  if (from.month === to.month) {
    count = to.day - from.day;
    lines.push(`${to.day}-${from.day}=${count}`);
  } else {
    count = lengthOf(from.month) - from.day;
    lines.push(
      `${MONTHS[from.month]?.name} has ${lengthOf(from.month)}: ${lengthOf(from.month)}-${from.day}=${count}`,
    );
    for (let month = from.month + 1; month < to.month; month += 1) {
      lines.push(
        `${MONTHS[month]?.name} has ${lengthOf(month)}: ${count}+${lengthOf(month)}=${count + lengthOf(month)}`,
      );
      count += lengthOf(month);
    }
    lines.push(`${writeDate(to)}: ${count}+${to.day}=${count + to.day}`);
    count += to.day;
  }
  return {
    task: "date-arithmetic",
    key: `${writeDate(from)} to ${writeDate(to)}`,
    prompt: random.pick(BETWEEN_PHRASINGS)(writeDate(from), writeDate(to)),
    thinking: [...lines, count].join("\n"),
    answer: String(count),
    verify: (text) => answersNumber(text, days),
  };
}

function lengthOf(month: number): number {
  return MONTHS[month]?.days ?? 0;
}

/** The date of a day of the year, 1 to 365, by the platform's calendar in a common year. */
function dateOf(dayOfYear: number): YearDate {
  const date = new Date(Date.UTC(2023, 0, dayOfYear));
  return { month: date.getUTCMonth(), day: date.getUTCDate() };
}
