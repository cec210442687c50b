import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { allTasks, registerTask, TaskError, tasksNamed, type Task } from "@levin/tasks";

/**
 * The tasks that `--tasks` asks for: names, and modules that export a task as their default, parted by
 * commas; all where it asks for none.
 *
 * @throws UnknownTaskError, TaskError
 */
export async function readTasks(text: string | undefined): Promise<readonly Task[]> {
  if (text === undefined) return allTasks;
  const tasks: Task[] = [];
  for (const name of text.split(",").map((part) => part.trim())) {
    tasks.push(extname(name) === "" ? tasksNamed([name])[0]! : await loadTask(name));
  }
  return tasks;
}

/**
 * Registers the task that a module exports as its default.
 * @throws TaskError when it has none, or can't be read
 */
export async function loadTask(path: string): Promise<Task> {
  try {
    const module = (await import(pathToFileURL(resolve(path)).href)) as { default: Task };
    registerTask(module.default);
    return module.default;
  } catch (error) {
    throw new TaskError(`${path}: ${(error as Error).message}`, { cause: error });
  }
}
