/**
 * Compares two whole numbers ≥ 0: first by length, then digit by digit from the left, each line
 * showing what is left of both numbers:
 *
 *     482 has 3, 495 has 3, 3=3
 *     482 495: 4=4
 *     82 95: 8<9
 */
export function compareDigits(
  left: number,
  right: number,
): { lines: string[]; sign: "<" | "=" | ">" } {
  let [restLeft, restRight] = [String(left), String(right)];
  const lengths = signOf(restLeft.length, restRight.length);
  const lines = [
    `${left} has ${restLeft.length}, ${right} has ${restRight.length}, ` +
      `${restLeft.length}${lengths}${restRight.length}`,
  ];
  let sign = lengths;
  while (sign === "=" && restLeft !== "") {
    const [digitLeft, digitRight] = [Number(restLeft[0]), Number(restRight[0])];
    sign = signOf(digitLeft, digitRight);
    lines.push(`${restLeft} ${restRight}: ${digitLeft}${sign}${digitRight}`);
    restLeft = restLeft.slice(1);
    restRight = restRight.slice(1);
  }
  return { lines, sign };
}

function signOf(left: number, right: number): "<" | "=" | ">" {
  if (left === right) return "=";
  return left < right ? "<" : ">";
}
