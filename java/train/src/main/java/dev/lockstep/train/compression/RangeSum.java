package dev.lockstep.train.compression;

import dev.lockstep.comm.Work;
import org.jspecify.annotations.Nullable;

/**
 * The sum over all ranks of a range of gradients, in one or two exchanges. All ranks call the same
 * methods of the same ranges in the same order, and end with the same bits. One thread.
 */
public interface RangeSum {
  /**
   * Begins with this rank's gradients.
   *
   * @param step its number, from which random numbers follow
   * @param carry what the residual of the step before is multiplied by; 0 to forget it
   */
  Work start(long step, double carry);

  /** The first exchange has ended: begins the second, or returns null where there is none. */
  @Nullable Work proceed();

  /** The last exchange has ended: the gradients become the sum. */
  void finish();

  /** Bytes that this rank puts into the exchanges of the present step. */
  long sentBytes();
}
