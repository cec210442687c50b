import { flushCompileCache } from "node:module";
import { selectBackend } from "@levin/kernels/node";
import { createServer } from "../create-server.ts";
import { openDatabase } from "../sessions/open-database.ts";
import { scriptedModel } from "./scripted-model.ts";

/* A server of its own that keeps sessions in a directory and says the last word of a question. */

const [, , data] = process.argv;
await selectBackend("cpu");
const script = (conversation: string): string =>
  `<think>\nhm\n</think>\n\n${/q\d+/g.exec(conversation.slice(conversation.lastIndexOf("user name=user")))![0]}`;
const app = createServer({
  ...scriptedModel(script, { context: 100_000 }),
  fingerprint: () => Promise.resolve("script"),
  database: await openDatabase({ data }),
});
console.log(`ready at ${await app.listen({ port: 0, host: "127.0.0.1" })}`);
// Who is killed keeps nothing of what it compiled.
flushCompileCache();
