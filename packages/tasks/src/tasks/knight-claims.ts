import type { Random } from "../random.ts";

/** What somebody says about who is a knight (true) or a knave, by the number of the person. */
export interface Claim {
  /** In words: "Amy and Bob are both knaves". */
  text: string;
  /** In short, 1 for knight: "Amy 0 and Bob 0". */
  short: string;
  /** With the people's values put in: "1=0 and 0=0". */
  tested(way: readonly boolean[]): string;
  holds(way: readonly boolean[]): boolean;
}

/** A claim about another person, or about two people of whom the speaker may be one. */
export function drawClaim(random: Random, people: readonly string[], speaker: number): Claim {
  const numbers = [...people.keys()];
  const knight = random.chance(0.5);
  if (random.chance(0.4)) {
    return aboutOne(people, random.pick(numbers.filter((each) => each !== speaker)), knight);
  }
  const [one = 0, other = 0] = random.sample(numbers, 2).toSorted((a, b) => a - b);
  const make = random.pick([bothAre, oneIs, areAlike]);
  return make(people, one, other, knight);
}

function aboutOne(people: readonly string[], one: number, knight: boolean): Claim {
  const kind = Number(knight);
  return {
    text: `${people[one]} is a ${knight ? "knight" : "knave"}`,
    short: `${people[one]} ${kind}`,
    tested: (way) => `${Number(way[one])}=${kind}`,
    holds: (way) => way[one] === knight,
  };
}

function bothAre(people: readonly string[], one: number, other: number, knight: boolean): Claim {
  const kind = Number(knight);
  return {
    text: `${people[one]} and ${people[other]} are both ${knight ? "knights" : "knaves"}`,
    short: `${people[one]} ${kind} and ${people[other]} ${kind}`,
    tested: (way) => `${Number(way[one])}=${kind} and ${Number(way[other])}=${kind}`,
    holds: (way) => way[one] === knight && way[other] === knight,
  };
}

function oneIs(people: readonly string[], one: number, other: number, knight: boolean): Claim {
  const kind = Number(knight);
  return {
    text: `${people[one]} or ${people[other]} or both are ${knight ? "knights" : "knaves"}`,
    short: `${people[one]} ${kind} or ${people[other]} ${kind}`,
    tested: (way) => `${Number(way[one])}=${kind} or ${Number(way[other])}=${kind}`,
    holds: (way) => way[one] === knight || way[other] === knight,
  };
}

function areAlike(people: readonly string[], one: number, other: number, alike: boolean): Claim {
  const relation = alike ? "same" : "other";
  return {
    text: `${people[one]} and ${people[other]} are of ${alike ? "the same kind" : "different kinds"}`,
    short: `${people[one]} ${relation} ${people[other]}`,
    tested: (way) => `${Number(way[one])} ${relation} ${Number(way[other])}`,
    holds: (way) => (way[one] === way[other]) === alike,
  };
}
