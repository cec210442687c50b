import { allTasks, type Task } from "@levin/tasks";
import { InvalidArgumentError } from "commander";

/** Reads names of tasks, parted by commas; commander shows the error with the flag's name. */
export function toTasks(text: string): Task[] {
  return text.split(",").map((name) => {
    const task = allTasks.find((each) => each.name === name.trim());
    if (task) return task;
    const known = allTasks.map((each) => each.name).join(", ");
    throw new InvalidArgumentError(`expected some of ${known}, found "${name.trim()}"`);
  });
}
