import * as tf from "@tensorflow/tfjs-core";
import * as binaries from "./binaries.generated.ts";
import { guardMemory, type Allocator } from "./guard-memory.ts";

/** What a worker needs to join the pool. */
export interface WorkerStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** Address of the control block. */
  control: number;
  index: number;
}

/** Starts a thread that instantiates the module and calls `setControl(control, 1)`, `work(index)`. */
export type SpawnWorker = (start: WorkerStart) => void;

/** The parts of tfjs-backend-wasm that zero-copy kernels need; pinned by the peer dependency. */
interface WasmBackend extends tf.KernelBackend {
  wasm: Allocator & {
    wasmMemory?: WebAssembly.Memory;
    asm: Record<string, unknown>;
    tfjs: {
      disposeData(id: number): void;
      registerTensor(id: number, size: number, memoryOffset: number): void;
    };
  };
  dataIdMap: { get(id: tf.DataId): { id: number; memoryOffset: number } };
  makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo;
}

interface Exports {
  dispatch(kernel: number, args: number, threads: number): void;
  readyWorkers(): number;
  setControl(address: number, maySleep: number): void;
  packingBytes(): number;
  [kernel: string]: unknown;
}

interface MemoryBlock {
  address: number;
  bytes: number;
}

/** The name under which assembly/index.ts exports a job's number, and 32-bit fields of its argument class in order; floats through {@link floatBits}. */
export interface Job {
  kernel: string;
  args: readonly number[];
}

const controlBytes = 128;
const cacheLine = 64;
/** A thread handles so many numbers in the time in which another wakes up. */
const numbersWorthThreads = 16384;

/** Raised when a job stops in its middle: an expert that is none, or a thread that died. */
export class FusedKernelError extends Error {
  override readonly name = "FusedKernelError";
  constructor(kernel: string, cause: unknown) {
    super(
      `${kernel}: expected inputs in their ranges and all threads alive, found ${String(cause)}; ` +
        "later kernels run on one thread",
      { cause },
    );
  }
}

/** Runs the jobs of assembly/ in the memory of the tfjs wasm backend, on all threads of the pool. */
export class FusedEngine {
  readonly #backend: WasmBackend;
  readonly #memory: WebAssembly.Memory;
  readonly #exports: Exports;
  readonly #workers: number;
  readonly #args: MemoryBlock = { address: 0, bytes: 0 };
  readonly #scratch: MemoryBlock = { address: 0, bytes: 0 };
  #broken = false;

  /**
   * @param threads threads in all; more than one needs a shared memory and `spawn`
   * @param maySleep false in the main thread of a browser
   */
  constructor({ threads, maySleep, spawn }: FusedEngineOptions) {
    this.#backend = tf.backend() as unknown as WasmBackend;
    guardMemory(this.#backend.wasm);
    this.#memory = memoryOf(this.#backend);
    const shared =
      typeof SharedArrayBuffer !== "undefined" && this.#memory.buffer instanceof SharedArrayBuffer;
    const module = new WebAssembly.Module(chooseBinary(shared));
    const instance = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    this.#exports = instance.exports as unknown as Exports;
    const block = this.#allocate(controlBytes + cacheLine);
    const control = Math.ceil(block / cacheLine) * cacheLine;
    new Uint8Array(this.#memory.buffer, control, controlBytes).fill(0);
    this.#exports.setControl(control, maySleep ? 1 : 0);
    this.#workers = shared && spawn ? threads - 1 : 0;
    for (let index = 1; index <= this.#workers; index++) {
      spawn!({ module, memory: this.#memory, control, index });
    }
  }

  /** Threads that work on a job now: one until all workers have started. */
  get threads(): number {
    return !this.#broken && this.#workers > 0 && this.#exports.readyWorkers() === this.#workers
      ? this.maxThreads
      : 1;
  }

  /** Threads that may work on a job once all have started: what memory of threads is sized for. */
  get maxThreads(): number {
    return this.#workers + 1;
  }

  /** Where a tensor's numbers stand in memory. */
  address(tensor: tf.TensorInfo): number {
    return this.#backend.dataIdMap.get(tensor.dataId).memoryOffset;
  }

  /** {@link address} of each tensor, 0 for one that is absent. */
  addresses(tensors: readonly (tf.TensorInfo | undefined)[]): number[] {
    return tensors.map((tensor) => (tensor ? this.address(tensor) : 0));
  }

  /** A new tensor, its numbers not yet set. */
  output(shape: number[], dtype: tf.DataType = "float32"): tf.TensorInfo {
    return this.#backend.makeOutput(shape, dtype);
  }

  /**
   * A place for a new value of a tensor: its own memory when nobody else holds its numbers, so that
   * the old ones are lost, else new memory.
   */
  overwrite({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo {
    if (this.#backend.refCount(dataId) !== 1) return this.output(shape, dtype);
    const { id, memoryOffset } = this.#backend.dataIdMap.get(dataId);
    // Makes tfjs forget the packed copy that its own matrix product keeps of the old numbers.
    this.#backend.wasm.tfjs.disposeData(id);
    this.#backend.wasm.tfjs.registerTensor(id, tf.util.sizeFromShape(shape), memoryOffset);
    this.#backend.incRef(dataId);
    return { dataId, shape, dtype };
  }

  /** The numbers of a tensor, in place; valid until the next allocation. */
  floats(tensor: tf.TensorInfo): Float32Array {
    const size = tensor.shape.reduce((product, n) => product * n, 1);
    return new Float32Array(this.#memory.buffer, this.address(tensor), size);
  }

  /** The result of a plain function of the module, such as the size of a job's memory. */
  call(name: string, ...args: number[]): number {
    return (this.#exports[name] as (...values: number[]) => number)(...args);
  }

  /** At least `bytes` of memory, shared by all kernels: valid during one job. */
  scratch(bytes: number): number {
    this.#grow(this.#scratch, bytes);
    return this.#scratch.address;
  }

  /** {@link scratch} in which every thread can pack blocks of matrices; jobs with `extra` bytes find them behind. */
  packingScratch(extra = 0): { packing: number; extra: number } {
    const bytes = this.maxThreads * this.#exports.packingBytes();
    const packing = this.scratch(bytes + extra);
    return { packing, extra: packing + bytes };
  }

  /** Copies bytes of the memory. */
  copy(to: number, from: number, bytes: number): void {
    new Uint8Array(this.#memory.buffer).copyWithin(to, from, from + bytes);
  }

  /**
   * Runs a {@link Job}.
   *
   * @param numbers how many numbers a job handles that does little for each: other threads are left
   *   asleep when waking them would take longer
   */
  run(kernel: string, args: readonly number[], numbers = Infinity): void {
    this.#grow(this.#args, args.length * 4);
    new Int32Array(this.#memory.buffer, this.#args.address, args.length).set(args);
    this.#dispatch(kernel, numbers < numbersWorthThreads ? 1 : this.threads);
  }

  /** Runs jobs one after another, all threads called once. */
  runSequence(jobs: readonly Job[]): void {
    const table = 1 + 2 * jobs.length;
    const length = jobs.reduce((sum, { args }) => sum + args.length, table);
    this.#grow(this.#args, length * 4);
    const { address } = this.#args;
    const words = new Int32Array(this.#memory.buffer, address, length);
    words[0] = jobs.length;
    let at = table;
    jobs.forEach(({ kernel, args }, i) => {
      words[1 + 2 * i] = this.#number(kernel);
      words[2 + 2 * i] = address + 4 * at;
      words.set(args, at);
      at += args.length;
    });
    this.#dispatch("SEQUENCE", this.threads);
  }

  #number(kernel: string): number {
    return (this.#exports[kernel] as WebAssembly.Global).value as number;
  }

  /** Runs the job whose arguments have been written. */
  #dispatch(kernel: string, threads: number): void {
    try {
      this.#exports.dispatch(this.#number(kernel), this.#args.address, threads);
    } catch (error) {
      // A job that ends half-way leaves other threads inside it: from here on there is one.
      if (threads > 1) this.#broken = true;
      throw new FusedKernelError(kernel, error);
    }
  }

  #allocate(bytes: number): number {
    const { _malloc: allocate } = this.#backend.wasm;
    return allocate(bytes);
  }

  #free(address: number): void {
    const { _free: free } = this.#backend.wasm;
    free(address);
  }

  /** Makes a block large enough; when memory is used up it is empty, not one that was given back. */
  #grow(block: MemoryBlock, bytes: number): void {
    if (bytes <= block.bytes) return;
    if (block.address !== 0) this.#free(block.address);
    block.address = block.bytes = 0;
    const size = Math.max(4096, Math.floor(bytes * 1.25));
    block.address = this.#allocate(size);
    block.bytes = size;
  }
}

export interface FusedEngineOptions {
  threads: number;
  maySleep: boolean;
  spawn?: SpawnWorker | undefined;
}

const bits = new DataView(new ArrayBuffer(4));

/** The bits of a float32 as an integer argument. */
export function floatBits(value: number): number {
  bits.setFloat32(0, value);
  return bits.getInt32(0);
}

function memoryOf({ wasm }: WasmBackend): WebAssembly.Memory {
  const memory =
    wasm.wasmMemory ?? Object.values(wasm.asm).find((value) => value instanceof WebAssembly.Memory);
  if (!memory) throw new Error("wasm: expected a memory in tfjs-backend-wasm 4.22, found none");
  return memory;
}

function chooseBinary(shared: boolean): Uint8Array<ArrayBuffer> {
  const relaxed = decode(shared ? binaries.threadedRelaxedSimd : binaries.relaxedSimd);
  if (WebAssembly.validate(relaxed)) return relaxed;
  return decode(shared ? binaries.threadedSimd : binaries.simd);
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
