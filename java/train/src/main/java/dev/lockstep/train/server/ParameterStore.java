package dev.lockstep.train.server;

import java.util.Set;

/**
 * Named parameters to which any number of workers give gradients: in this process ({@link
 * ParameterServer}), or on servers of other ranks ({@link ParameterClient}). Each call is atomic;
 * all implementations are thread-safe.
 *
 * <p>Unknown names, gradients of another length than their parameters' and numbers that are not
 * finite throw {@link IllegalArgumentException} and change nothing.
 */
public interface ParameterStore {
  /**
   * Gives parameters a name and values; those of the name before, their optimiser state included,
   * are gone.
   */
  void set(String name, float[] values);

  /** The values as they are now; the caller's own. */
  float[] get(String name);

  /** Adds a gradient to those that wait for the next update. */
  void accumulate(String name, float[] gradient);

  /** Whether as many gradients wait as an update needs. */
  boolean isReady(String name);

  /**
   * Updates the parameters with the mean of the gradients that wait, of which then none does.
   *
   * @throws IllegalStateException if none waits
   */
  void apply(String name);

  /** As {@link #apply} if {@link #isReady}, in one; returns whether it was. */
  boolean applyIfReady(String name);

  /** Forgets the gradients that wait. */
  void clear(String name);

  /** How many updates the parameters have had since they were set. */
  long version(String name);

  /** All names. */
  Set<String> names();
}
