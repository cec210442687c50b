import { join } from "node:path";

// What a test starts in a process of its own loads hundreds of source files; Node keeps them compiled here.
process.env["NODE_COMPILE_CACHE"] ??= join(
  import.meta.dirname,
  "../node_modules/.cache/levin-compiled",
);
