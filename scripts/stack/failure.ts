/** A failure that its reader can act on: shown without a stack, `next` says what to do. */
export class StackFailure extends Error {
  override name = 'StackFailure';
  readonly next: string;

  constructor(message: string, next: string, options?: ErrorOptions) {
    super(message, options);
    this.next = next;
  }
}
