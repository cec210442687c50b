/** Keys of Hugging Face configs that do not change what the model computes. */
const inertKeys = [
  "add_bos_token",
  "add_cross_attention",
  "architectures",
  "attention_dropout",
  "attn_implementation",
  "auto_map",
  "bad_words_ids",
  "begin_suppress_tokens",
  "chunk_size_feed_forward",
  "cross_attention_hidden_size",
  "decoder_start_token_id",
  "diversity_penalty",
  "do_sample",
  "dtype",
  "early_stopping",
  "embedding_dropout",
  "encoder_no_repeat_ngram_size",
  "experts_implementation",
  "exponential_decay_length_penalty",
  "finetuning_task",
  "forced_bos_token_id",
  "forced_eos_token_id",
  "gradient_checkpointing",
  "id2label",
  "init_std",
  "initializer_range",
  "is_decoder",
  "is_encoder_decoder",
  "label2id",
  "length_penalty",
  "loss_type",
  "max_length",
  "max_model_len",
  "max_window_layers",
  "min_length",
  "mtp_loss_scaling_factor",
  "no_repeat_ngram_size",
  "num_beam_groups",
  "num_beams",
  "num_labels",
  "num_return_sequences",
  "output_attentions",
  "output_dropout",
  "output_hidden_states",
  "output_router_logits",
  "output_scores",
  "prefix",
  "problem_type",
  "pruned_heads",
  "remove_invalid_values",
  "repetition_penalty",
  "return_dict",
  "return_dict_in_generate",
  "router_dtype",
  "router_jitter_noise",
  "sep_token_id",
  "shared_moe_mode",
  "suppress_tokens",
  "task_specific_params",
  "temperature",
  "tf_legacy_loss",
  "tie_encoder_decoder",
  "tokenizer_class",
  "top_k",
  "top_p",
  "torch_dtype",
  "torchscript",
  "transformers.js_config",
  "transformers_version",
  "typical_p",
  "use_bfloat16",
  "use_cache",
  "use_return_dict",
  "xla_device",
] as const;

/** Names keys that are neither read nor known to be inert, each with the nearest known key. */
export function unknownKeys(found: readonly string[], read: readonly string[]): string[] {
  const known = [...read, ...inertKeys];
  return (
    found
      // Names with an underscore in front are private to the program that wrote the file.
      .filter((key) => !known.includes(key) && !key.startsWith("_"))
      .map((key) => {
        const nearest = known.reduce((best, candidate) =>
          editDistance(key, candidate) < editDistance(key, best) ? candidate : best,
        );
        return editDistance(key, nearest) <= 3
          ? `unknown key "${key}" (did you mean "${nearest}"?)`
          : `unknown key "${key}"`;
      })
  );
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
