/** What `make` gives for each item; when it fails for one, those before are disposed of. */
export function allOrNone<Item, Made extends { dispose(): void }>(
  items: readonly Item[],
  make: (item: Item, index: number) => Made,
): Made[] {
  const made: Made[] = [];
  try {
    items.forEach((item, index) => made.push(make(item, index)));
    return made;
  } catch (error) {
    for (const each of made) each.dispose();
    throw error;
  }
}
