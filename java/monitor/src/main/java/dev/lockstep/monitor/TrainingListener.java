package dev.lockstep.monitor;

import java.util.List;

/**
 * Hears what happens in a run, in order: {@link TrainingEvent.Started}, then steps, validations,
 * checkpoints and epochs, then {@link TrainingEvent.Finished}, then {@link #close}. A run that
 * fails or is stopped is closed without {@code Finished}.
 *
 * <p>Called on the rank that it was given to (of the command line's: rank 0), on the thread that
 * trains; steps come often, so what it does with them costs next to nothing. What it throws at
 * {@code Started} ends the run before its first step; what it throws later is logged, and training
 * goes on.
 */
public interface TrainingListener extends AutoCloseable {
  /** Something has happened. */
  void on(TrainingEvent event);

  /** Ends progress output and closes files. Idempotent. */
  @Override
  default void close() {}

  /**
   * Returns the listener of the ranks that neither print nor write.
   *
   * @return a listener that ignores every event
   */
  static TrainingListener none() {
    return event -> {};
  }

  /**
   * Joins listeners into one.
   *
   * @param listeners called in this order
   * @return a listener that passes each event to all of them, though one may throw, and owns them:
   *     closing it closes each
   */
  static TrainingListener all(List<TrainingListener> listeners) {
    return new ListenerGroup(listeners);
  }
}
