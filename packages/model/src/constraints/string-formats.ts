const octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
// Days that every month has, so that no date is a 31st of June.
const date = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])";
const time =
  "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])";
const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const hostname = `${label}(?:\\.${label}){0,3}`;

/** Texts of each `format` of JSON Schema that can be kept, as patterns; some allow less than the format does. */
export const stringFormats: Readonly<Record<string, string>> = {
  date: `^${date}$`,
  time: `^${time}$`,
  "date-time": `^${date}T${time}$`,
  duration: "^P(?:[0-9]{1,6}D)?T[0-9]{1,6}[HMS]$",
  email: `^[a-z0-9]{1,30}(?:[._-][a-z0-9]{1,30}){0,3}@${label}(?:\\.${label}){0,2}\\.[a-z]{2,10}$`,
  hostname: `^${hostname}$`,
  ipv4: `^${octet}(?:\\.${octet}){3}$`,
  uuid: "^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
};
