/** Messages in the order they came, for one reader who waits for the next. */
export class Inbox<Message> {
  readonly #messages: Message[] = [];
  #reader: ((message: Message) => void) | undefined;

  push(message: Message): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader) reader(message);
    else this.#messages.push(message);
  }

  next(): Promise<Message> {
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    return new Promise((resolve) => (this.#reader = resolve));
  }
}
