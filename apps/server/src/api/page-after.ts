import { ApiError } from "./api-error.ts";

/** A page in the form of OpenAI's lists. */
export interface Page<Item> {
  object: "list";
  data: Item[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

/**
 * The items after one of them.
 * @param what they are, for people
 * @throws ApiError (400) when `after` is none of them
 */
export function pageAfter<Item extends { id: string }>(
  items: readonly Item[],
  { after, limit }: { after?: string | undefined; limit: number },
  what: string,
): Page<Item> {
  const last = after === undefined ? -1 : items.findIndex(({ id }) => id === after);
  if (after !== undefined && last < 0) {
    throw new ApiError(400, `after: expected the id of ${what}, found "${after}"`, {
      param: "after",
    });
  }
  const data = items.slice(last + 1, last + 1 + limit);
  return {
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: last + 1 + limit < items.length,
  };
}
