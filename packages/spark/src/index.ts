/**
 * Directory of the checkpoint: `config.json`, `model.safetensors`, `tokenizer.json` and
 * `tokenizer_config.json`, in the layout of Hugging Face.
 */
export const sparkDirectory: URL = new URL("../checkpoint/", import.meta.url);
