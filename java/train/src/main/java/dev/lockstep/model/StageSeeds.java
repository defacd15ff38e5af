package dev.lockstep.model;

/**
 * With which seed a stage's random numbers begin in one pass. So they depend neither on what ran
 * before nor on where the stage runs, and are the same when it runs again.
 */
public interface StageSeeds {
  /** Of a stage, by its index in {@link Model#stages}. */
  long of(int stage);
}
