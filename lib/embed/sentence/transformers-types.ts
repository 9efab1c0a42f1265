/**
 * What is used of `@huggingface/transformers`. Its own types are not imported: it is an optional dependency, and the kit
 * compiles without it.
 */

/** A tensor of the library. */
export interface LibraryTensor {
  dims: number[];
  data: unknown;
}

/** Text -> token ids. */
export interface LibraryTokenizer {
  encode(text: string, options?: { add_special_tokens?: boolean }): number[];
}

/** Inputs by name -> outputs by name. */
export interface LibraryModel {
  (inputs: Record<string, LibraryTensor>): Promise<Record<string, LibraryTensor | undefined>>;
  dispose(): Promise<unknown>;
}

/** Settings of the library for the whole process. */
export interface LibraryEnv {
  cacheDir: string | null;
  /** Ends in a slash. */
  remoteHost: string;
  remotePathTemplate: string;
}

/** The library. */
export interface TransformersLibrary {
  env: LibraryEnv;
  AutoTokenizer: { from_pretrained(source: string, options: { local_files_only: boolean }): Promise<LibraryTokenizer> };
  AutoModel: {
    from_pretrained(
      source: string,
      options: { local_files_only: boolean; dtype?: string | undefined; device: 'cpu'; session_options: object },
    ): Promise<LibraryModel>;
  };
  Tensor: new (type: 'int64', data: BigInt64Array, dims: number[]) => LibraryTensor;
}
