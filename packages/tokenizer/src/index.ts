export {
  encodeChat,
  renderChat,
  type ChatMessage,
  type RenderChatOptions,
  type ToolDefinition,
} from "./chat-template.ts";
export {
  encodeConversation,
  encodeReply,
  type ConversationMessage,
} from "./encode-conversation.ts";
export { DecodeStream } from "./decode-stream.ts";
export { ggufVocabulary } from "./gguf-vocabulary.ts";
export { m1ChatTemplate, m1SpecialTokens } from "./m1-chat-template.ts";
export { Tokenizer } from "./tokenizer.ts";
export {
  TokenizerError,
  tokenizerFileFromMerges,
  type AddedToken,
  type TokenizerFile,
} from "./tokenizer-file.ts";
export { ToolCallStream, type AnswerPiece } from "./tool-call-stream.ts";
export {
  parseToolCalls,
  toolResultName,
  type MessageToolCall,
  type ToolCall,
} from "./tool-calls.ts";
export { trainTokenizer, type TrainTokenizerOptions } from "./train-tokenizer.ts";
