import type { Item } from "../data/item.ts";
import type { BenchmarkTask } from "../suites/benchmark-task.ts";

type Asked = Pick<BenchmarkTask, "kind" | "template">;

/** A template with `{name}` replaced by a text. */
function render(template: string, texts: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => texts[name] ?? whole);
}

/** The item alone, and with each of its choices if it has some: what a head reads. */
export function headTexts({ kind, template }: Asked, item: Item): string[] {
  const text = render(template.text, item.fields);
  if (kind.type !== "choice") return [text];
  return item.choices!.map((choice) => text + continuation({ kind, template }, item, choice));
}

/** The item with its question, up to where the answer begins. */
export function promptOf({ template }: Asked, item: Item): string {
  const text = render(template.text, item.fields);
  return template.question === undefined ? text : `${text}\n${template.question}\nAnswer:`;
}

/** What may follow the prompt: an answer in words for each class, score or choice. */
export function optionsOf(task: Asked, item: Item): string[] {
  return task.template.answers
    ? task.template.answers.map((answer) => ` ${answer}`)
    : item.choices!.map((choice) => continuation(task, item, choice));
}

function continuation({ template }: Asked, item: Item, choice: string): string {
  return render(template.continuation ?? "{choice}", { ...item.fields, choice });
}

/** Value of each option: its class or choice, or the score that it stands for. */
export function optionValue({ kind }: Asked, option: number, count: number): number {
  if (kind.type !== "score") return option;
  return kind.lowest + ((kind.highest - kind.lowest) * option) / (count - 1);
}

/** Prompts with their right answers, to stand before another prompt; "" for no examples. */
export function shotsText(task: Asked, examples: readonly Item[]): string {
  return examples
    .map((item) => {
      const options = optionsOf(task, item);
      const values = options.map((_, i) => optionValue(task, i, options.length));
      const distance = values.map((value) => -Math.abs(value - item.label!));
      return `${promptOf(task, item)}${options[distance.indexOf(Math.max(...distance))]}\n\n`;
    })
    .join("");
}
