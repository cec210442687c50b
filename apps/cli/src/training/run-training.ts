import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Tokenizer } from "@levin/tokenizer";
import {
  batchExamples,
  createProgress,
  expectTrainable,
  train,
  type Progress,
  type StepReport,
} from "@levin/training";
import { saveLora, saveTrainingCheckpoint } from "@levin/training/node";
import { BestModel } from "./best-model.ts";
import { mixture, openSources, type Source } from "./example-sources.ts";
import { evaluateHeldOut, type HeldOutEvaluation, type Sample } from "./held-out-evaluation.ts";
import { fingerprints } from "./fingerprints.ts";
import { ensureTokenizer, openLearner, type Learner } from "./learner.ts";
import { saveFinished } from "./model-folder.ts";
import { RecipeError, type ContextStage, type Recipe } from "./recipe.ts";
import { openRunLog, type RunLog } from "./run-log.ts";
import { withWayOn } from "./way-on.ts";
import { expectWritable, writeFolderWhole } from "./write-whole.ts";

export interface TrainingRun {
  recipe: Recipe;
  /** Checkpoints, metrics and the finished model go here. */
  directory: string;
  /** A trained model's directory to start from; the recipe then names no new model. */
  from?: string | undefined;
  onStep?: (report: StepReport, progress: Progress) => void;
  onEvaluation?: (step: number, evaluation: HeldOutEvaluation, samples: readonly Sample[]) => void;
  /** Told what is to be known about the data. */
  onNotice?: (text: string) => void;
  signal?: AbortSignal;
}

export interface TrainingEnd {
  step: number;
  /** `early`: the held-out loss fell no more. `aborted`: a checkpoint was left, nothing else. */
  reason: "finished" | "early" | "aborted";
}

/**
 * Trains by a recipe, or goes on where an earlier run in the same directory stopped. The finished
 * model (bfloat16, with tokenizer and chat template) is in `directory/model`, the one of the lowest
 * held-out loss in `directory/best`, an adapter alone in `directory/adapter`.
 *
 * @throws RecipeError, ChatDatasetError, DivergedError, TrainingCheckpointError, OutputError
 */
export async function runTraining(run: TrainingRun): Promise<TrainingEnd> {
  const { recipe, directory, from, signal } = run;
  if ((recipe.newModel === undefined) === (from === undefined)) {
    throw new RecipeError(
      "recipe: expected either newModel in the recipe or a trained model to start from (--from), " +
        `found ${from === undefined ? "neither" : "both"}`,
    );
  }
  await expectWritable(directory, () => mkdir(directory, { recursive: true }));
  const tokenizer = await ensureTokenizer(recipe, directory, from);
  const checkpoints = join(directory, "checkpoints");
  // These may be changed on the way, the learning rate after a divergence; anything else would make
  // it another training.
  const { steps, learningRate: _rate, checkpointEvery: _every, evaluation: _, ...kept } = recipe;
  const settings = { ...kept, ...(await fingerprints(recipe, from)) };
  const learner = await openLearner(recipe, tokenizer, { checkpoints, from, settings });
  const log = await openRunLog(directory, learner.state.step);
  const stages = stagesOf(recipe, learner.config.maxPositionEmbeddings);
  const longest = Math.max(...stages.map(({ maxTokens }) => maxTokens));
  const sources = await openSources(recipe, tokenizer, { longest, notice: run.onNotice });
  if (recipe.evaluation && sources.every(({ heldOut }) => heldOut.length === 0)) {
    throw new RecipeError(
      "evaluation: expected problemsPerTask or a heldOutShare above 0, found nothing that is held out",
    );
  }
  const best = await BestModel.of(directory, recipe.evaluation?.patience);
  const early = new AbortController();
  if (best.isOver) early.abort();
  const stage = new StageTraining({ run, learner, log, sources, tokenizer, settings, best, early });
  for (const [number, each] of stages.entries()) {
    const isLast = number === stages.length - 1;
    if (learner.state.step < each.untilStep || isLast) await stage.train(each, number + 1);
    // A later stage must not change the context of a model that never learned it.
    if (early.signal.aborted || signal?.aborted) break;
  }
  const { step } = learner.state;
  if (step < steps && !early.signal.aborted && signal?.aborted) return { step, reason: "aborted" };
  await learner.withModel((model) =>
    saveFinished(join(directory, "model"), model, join(directory, "tokenizer.json")),
  );
  const { adapter } = learner;
  if (adapter) {
    await writeFolderWhole(join(directory, "adapter"), (folder) =>
      saveLora(folder, adapter, { ...(from !== undefined && { baseModel: from }) }),
    );
  }
  return { step, reason: step < steps ? "early" : "finished" };
}

/** The stages of a recipe, the last of which goes on to the end; one without limits if it has none. */
function stagesOf(
  { steps, contextStages, maxBatchTokens }: Recipe,
  context: number,
): ContextStage[] {
  const stages = contextStages ?? [
    { untilStep: steps, maxTokens: Math.min(maxBatchTokens, context) },
  ];
  return stages.map((stage, i) => {
    const end = i === stages.length - 1 ? steps : stage.untilStep;
    return { ...stage, untilStep: Math.min(end, steps) };
  });
}

interface StageContext {
  run: TrainingRun;
  learner: Learner;
  log: RunLog;
  sources: readonly Source[];
  tokenizer: Tokenizer;
  settings: Record<string, unknown>;
  best: BestModel;
  early: AbortController;
}

/** Trains stage after stage, with all that is to be done between steps. */
class StageTraining {
  readonly #context: StageContext;
  readonly #follow: (report: StepReport) => Progress;
  /** Step of the newest checkpoint. */
  #saved: number;

  constructor(context: StageContext) {
    this.#context = context;
    this.#follow = createProgress(context.run.recipe.steps);
    this.#saved = context.learner.state.step;
  }

  async train(stage: ContextStage, number: number): Promise<void> {
    const { run, learner, sources, log, early } = this.#context;
    const { recipe } = run;
    learner.enter(stage);
    const examples = mixture(sources, recipe, stage.maxTokens);
    try {
      await train(learner.trainable, learner.state, {
        schedule: {
          peak: stage.learningRate ?? recipe.learningRate,
          warmupSteps: recipe.warmupSteps,
          totalSteps: recipe.steps,
          floor: 0.02,
        },
        untilStep: stage.untilStep,
        optimizer: { weightDecay: recipe.weightDecay },
        maxBatchTokens: recipe.maxBatchTokens,
        examples,
        signal: AbortSignal.any([early.signal, ...(run.signal ? [run.signal] : [])]),
        onStep: async (report) => {
          run.onStep?.(report, this.#follow(report));
          await log("metrics", { ...report, ...(recipe.contextStages && { stage: number }) });
          await this.#evaluate(report.step);
          if (report.step % recipe.checkpointEvery === 0) await this.#save(examples);
        },
      });
      await this.#save(examples);
    } catch (error) {
      throw withWayOn(error, this.#saved);
    }
  }

  async #evaluate(step: number): Promise<void> {
    const { run, learner, log, best, early } = this.#context;
    const { evaluation: plan, steps, maxBatchTokens } = run.recipe;
    if (!plan || (step % plan.every !== 0 && step !== steps)) return;
    const found = await evaluateHeldOut({ ...this.#context, recipe: plan, maxBatchTokens });
    for (const sample of found.samples) await log("samples", sample);
    await log("metrics", { step, ...found.evaluation });
    run.onEvaluation?.(step, found.evaluation, found.samples);
    if (best.add(found.evaluation.heldOutLoss)) {
      const file = join(run.directory, "tokenizer.json");
      await learner.withModel((model) => saveFinished(join(run.directory, "best"), model, file));
    }
    if (best.isOver) early.abort();
  }

  /** Saves a checkpoint, once the next examples show that the model is sound. */
  async #save(examples: ReturnType<typeof mixture>): Promise<void> {
    const { run, learner, settings } = this.#context;
    const { state } = learner;
    if (this.#saved === state.step) return;
    const next = batchExamples(examples(state.step).slice(0, 4), run.recipe.maxBatchTokens);
    await expectTrainable(learner.trainable, next, state.step);
    await saveTrainingCheckpoint(
      join(run.directory, "checkpoints"),
      learner.trained,
      state,
      settings,
    );
    this.#saved = state.step;
  }
}
