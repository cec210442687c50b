import { tasksNamed, UnknownTaskError, type Task } from "@levin/tasks";
import { InvalidArgumentError } from "commander";

/** Reads names of tasks, parted by commas; commander shows the error with the flag's name. */
export function toTasks(text: string): Task[] {
  try {
    return tasksNamed(text.split(",").map((name) => name.trim()));
  } catch (error) {
    throw error instanceof UnknownTaskError ? new InvalidArgumentError(error.message) : error;
  }
}
