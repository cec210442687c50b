import type { ConversationMessage } from "@levin/tokenizer";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { chatMessages } from "../api/chat-prompt.ts";
import { chatChunks, chatCompletion } from "../api/chat-replies.ts";
import { messageList, parseBody } from "../api/completion-requests.ts";
import { sendEventStream } from "../api/event-stream.ts";
import { commonFields, modelField, unsupported } from "../api/request-fields.ts";
import { toolDefinitions, toolFields, toolUse } from "../api/tools.ts";
import type { BeginTurn } from "../sessions/register-sessions.ts";
import { askEngine, stepsOf } from "./upstream-chat.ts";
import type { Upstreams } from "./upstreams.ts";

/** What this server must understand itself; the rest is the engine's to judge. */
const turnSchema = z.looseObject({
  model: modelField,
  session: z.string().min(1),
  messages: messageList,
  tools: toolFields.tools,
  n: unsupported((value) => value === 1),
  logprobs: z.boolean().nullish(),
  stream: commonFields.stream,
  stream_options: commonFields.stream_options,
});

/** Takes a turn of a session that upstreams answer: they are sent all of its messages. */
export function sessionTurns(
  upstreams: Upstreams,
  beginTurn: BeginTurn<readonly ConversationMessage[]>,
  stallTimeout: number,
): (request: FastifyRequest, reply: FastifyReply) => Promise<object> {
  return async (request, reply) => {
    const body = parseBody(turnSchema, request.body);
    const { session, stream_options: _, n: __, ...passed } = body;
    const asks = {
      model: body.model,
      messages: chatMessages(body.messages),
      tools: toolDefinitions(toolUse(body)),
      isStreamed: body.stream === true,
    };
    const { turn, prompt: messages } = await beginTurn(session, asks, reply.raw);
    const tools = body.tools ?? turn.tools;
    const asked = { ...passed, messages, ...(tools && { tools }) };
    const answer = await askEngine(upstreams, asked, request, reply);
    const wanted = { ...body, n: 1 };
    const steps = stepsOf(turn.parts(answer));
    return body.stream
      ? sendEventStream(reply, chatChunks(wanted, steps), stallTimeout)
      : chatCompletion(wanted, steps);
  };
}
