/**
 * A schema by the Standard Schema specification, version 1: of Zod, Valibot,
 * ArkType and others. See https://standardschema.dev.
 *
 * @typeParam Output what it makes of its input
 */
export interface StandardSchema<Output> {
  /** All that the specification says. */
  readonly "~standard": {
    /** Of the specification. */
    readonly version: 1;
    /** The name of the library. */
    readonly vendor: string;
    /** Judges a value, at once or later. */
    readonly validate: (
      value: unknown,
    ) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** For the compiler only. */
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** What a schema says of a value: what it is, or what is wrong with it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly unknown[] };
