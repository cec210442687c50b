/** How an item is put to a model: `{name}` stands for a field. */
export interface Template {
  /** The item alone, as a fine-tuned head reads it. */
  text: string;
  /** What is asked of it, in few-shot prompts and chats; none where the text is simply continued. */
  question?: string;
  /** An answer in words for each class, or for scores from the lowest on in equal steps. */
  answers?: readonly string[];
  /** How a choice continues the text; `{choice}` alone unless told otherwise. */
  continuation?: string;
}

const yesNo = ["no", "yes"];
const entails = "Does the first text imply the second? yes or no?";
const inference = {
  question: "Does the first text imply the second? yes, maybe or no?",
  answers: ["yes", "maybe", "no"],
};

/** The templates of all tasks. */
export const templates = {
  cola: {
    text: "{sentence}",
    question: "Is this sentence grammatical? yes or no?",
    answers: yesNo,
  },
  sst2: {
    text: "{sentence}",
    question: "Is this review positive or negative?",
    answers: ["negative", "positive"],
  },
  paraphrase: {
    text: "{first}\n{second}",
    question: "Do the two sentences mean the same? yes or no?",
    answers: yesNo,
  },
  duplicates: {
    text: "{first}\n{second}",
    question: "Do the two questions ask the same? yes or no?",
    answers: yesNo,
  },
  stsb: {
    text: "{first}\n{second}",
    question: "How alike are the two sentences, from 0 to 5?",
    answers: ["0", "1", "2", "3", "4", "5"],
  },
  inference: { text: "{first}\n{second}", ...inference },
  qnli: {
    text: "{first}\n{second}",
    question: "Does the sentence answer the question? yes or no?",
    answers: ["yes", "no"],
  },
  entailment: { text: "{first}\n{second}", question: entails, answers: ["yes", "no"] },
  wnli: { text: "{first}\n{second}", question: entails, answers: yesNo },
  boolq: { text: "{passage}\n{question}?", question: "yes or no?", answers: yesNo },
  cb: {
    ...inference,
    text: "{first}\n{second}",
    // In the order of CB's classes: entailment, contradiction, neutral.
    answers: ["yes", "no", "maybe"],
  },
  copa: { text: "{premise} {connective}", continuation: " {choice}" },
  multirc: {
    text: "{paragraph}\n{question}\n{answer}",
    question: "Is this answer right? yes or no?",
    answers: yesNo,
  },
  record: { text: "{passage}\n{before}", continuation: "{choice}{after}" },
  wic: {
    text: "{first}\n{second}\n{word}",
    question: "Has the word the same meaning in both sentences? yes or no?",
    answers: yesNo,
  },
  wsc: {
    text: '{text}\n"{pronoun}": {noun}',
    question: "Does the pronoun stand for this? yes or no?",
    answers: yesNo,
  },
} satisfies Record<string, Template>;
