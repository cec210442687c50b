import type { FastifyInstance } from "fastify";
import type { GenerationService } from "../scheduling/generation-service.ts";
import { generationSettings } from "../generation-settings.ts";
import { ModelTurn, type ModelPrompt } from "../sessions/model-turn.ts";
import type { BeginTurn } from "../sessions/register-sessions.ts";
import { answerConstraint } from "./answer-constraint.ts";
import { answerSteps, checkRoom, repeated } from "./answers.ts";
import { chatMessages, chatPromptIds } from "./chat-prompt.ts";
import { chatChunks, chatCompletion } from "./chat-replies.ts";
import { chatSchema, parseBody } from "./completion-requests.ts";
import { clientSignal, sendEventStream } from "./event-stream.ts";
import { checkModel } from "./models.ts";
import { about } from "./openapi.ts";
import { chatChunkSchema, chatCompletionSchema } from "./reply-schemas.ts";
import { toolConstraint } from "./tool-constraint.ts";
import { toolDefinitions, toolUse, usesTools } from "./tools.ts";

/** `POST /v1/chat/completions`, streaming and not. */
export function chatCompletions(
  app: FastifyInstance,
  service: GenerationService,
  stallTimeout: number,
  beginTurn: BeginTurn<ModelPrompt>,
): void {
  const { served } = service;
  const options = about("Answers a conversation", {
    body: chatSchema,
    reply: chatCompletionSchema,
    event: chatChunkSchema,
  });
  app.post("/v1/chat/completions", options, async (request, reply) => {
    const body = parseBody(chatSchema, request.body);
    checkModel(body.model, served.modelId);
    const messages = chatMessages(body.messages);
    const asked = toolDefinitions(toolUse(body));
    const isStreamed = body.stream === true;
    const begin = async (session: string): Promise<ModelTurn> => {
      const asks = { model: body.model, messages, tools: asked, isStreamed };
      const { turn, prompt } = await beginTurn(session, asks, reply.raw);
      return new ModelTurn(turn, prompt);
    };
    const turn = body.session == null ? undefined : await begin(body.session);
    const use = toolUse({ ...body, tools: body.tools ?? turn?.tools });
    // First of all, as it bounds the tools that are looked at next.
    const ids = turn?.promptIds ?? chatPromptIds(messages, asked, served);
    const constraint = toolConstraint(use, answerConstraint(body));
    const settings = { ...generationSettings(body, served, ids.length), constraint };
    const questions = turn
      ? [{ ids, settings: { ...settings, ...turn.settings }, turn }]
      : repeated(ids, settings, body.n ?? 1);
    checkRoom(service, questions, request);
    const steps = answerSteps(service, questions, clientSignal(reply), request, {
      tools: usesTools(use),
      promptProgress: isStreamed && body.return_progress === true,
    });
    return body.stream
      ? sendEventStream(reply, chatChunks(body, steps), stallTimeout)
      : chatCompletion(body, steps);
  });
}
