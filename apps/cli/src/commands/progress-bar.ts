import { SingleBar } from "cli-progress";

/** Moves a bar: its title, how much of all is done, and figures beside it. */
export type MoveBar = (title: string, done: number, all: number, figures: string) => void;

/** A bar for people who watch; nothing where standard error is not a terminal. */
export function progressBar(): MoveBar {
  const bar = new SingleBar({ format: "{title} {bar} {value}/{total} {figures}" });
  return (title, done, all, figures) => {
    if (!process.stderr.isTTY) return;
    if (!bar.isActive) bar.start(all, done, { title, figures });
    bar.update(done, { figures });
    if (done === all) bar.stop();
  };
}
