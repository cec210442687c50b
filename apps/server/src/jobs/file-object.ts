import { z } from "zod";
import { seconds } from "../api/seconds.ts";

/** A file as OpenAI's API describes it; times in seconds since 1970. */
export const fileSchema = z
  .object({
    id: z.string(),
    object: z.literal("file"),
    bytes: z.int().min(0),
    created_at: z.int(),
    expires_at: z.int(),
    filename: z.string(),
    purpose: z.enum(["batch", "batch_output"]),
    status: z.literal("processed"),
  })
  .meta({ id: "File" });

export type FileObject = z.output<typeof fileSchema>;

/** What is known of a file. */
export interface KeptFile {
  id: string;
  bytes: number;
  /** Milliseconds since 1970. */
  createdAt: number;
  filename: string;
  purpose: FileObject["purpose"];
}

/** Files are kept for so many seconds. */
export const fileRetention = 30 * 24 * 3600;

export function fileObject({ createdAt, ...file }: KeptFile): FileObject {
  const created_at = seconds(createdAt);
  const expires_at = created_at + fileRetention;
  return { ...file, object: "file", created_at, expires_at, status: "processed" };
}
