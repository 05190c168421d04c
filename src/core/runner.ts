import { type Effect, type Event, initial, type Rules, type State, transition } from "./machine.ts";

/** What an event has caused: further events, then what comes of them. Mostly there is none. */
interface Turn<E> {
  entries?: E[];
  afterwards?: (() => void)[];
}

/**
 * Runs the machine: every event to completion before the next one, also when a
 * hook or an application listener causes that next one in the middle.
 *
 * @typeParam E an event, with what its effects need besides
 */
export abstract class Runner<E extends { readonly event: Event }> {
  #state: State = initial;
  #turn: Turn<E> | undefined;

  protected abstract readonly rules: Rules;

  /** Carries out what an event has led to. */
  protected abstract perform(effect: Effect, entry: E): void;

  /** It goes from a phase into another one, and has not carried anything out yet. */
  protected abstract enter(phase: State["phase"], before: State["phase"]): void;

  protected get state(): State {
    return this.#state;
  }

  /** Whether something has happened that is not over yet: its state may be another soon. */
  protected get isBusy(): boolean {
    return this.#turn !== undefined;
  }

  /** Something has happened. */
  protected dispatch(entry: E): void {
    if (this.#turn) {
      (this.#turn.entries ??= []).push(entry);
      return;
    }
    const turn: Turn<E> = this.#turn = {};
    try {
      this.#take(entry);
      for (const next of turn.entries ?? []) this.#take(next);
    } finally {
      // Whatever went wrong, the deadline must still find somebody at work.
      this.#turn = undefined;
    }
    for (const call of turn.afterwards ?? []) call();
  }

  /**
   * Calls into the application once all else is done: what it does then, such as
   * to answer or to sign somebody out, takes effect at once.
   */
  protected afterwards(call: () => void): void {
    if (this.#turn) (this.#turn.afterwards ??= []).push(call);
    else call();
  }

  #take(entry: E): void {
    const { phase } = this.#state;
    const { state, effects } = transition(this.#state, entry.event, this.rules);
    this.#state = state;
    if (state.phase !== phase) this.enter(state.phase, phase);
    for (const effect of effects) this.perform(effect, entry);
  }
}
