import { constants } from "node:fs";
import { copyFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { RecipeError } from "./recipe.ts";

/** Recipes to begin with: tune a model on data of one's own, or train a new reasoning model. */
export const starterNames = ["fine-tune", "reasoning"] as const;

/** Writes a starter where there is no file yet; throws RecipeError for an unknown one. */
export async function writeStarter(name: string, path: string): Promise<void> {
  if (!starterNames.some((known) => known === name)) {
    throw new RecipeError(`--init: expected ${starterNames.join(" or ")}, found ${name}`);
  }
  await copyRecipe(name, path);
}

/** Copies a recipe of this package to where there is no file yet. */
export async function copyRecipe(name: string, path: string): Promise<void> {
  // The same from `src` and from `dist`.
  const source = fileURLToPath(new URL(`../../recipes/${name}.json`, import.meta.url));
  try {
    await copyFile(source, path, constants.COPYFILE_EXCL);
  } catch (error) {
    throw new RecipeError(`${path}: expected to write a new file: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
